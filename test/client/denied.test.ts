import { describe, expect, test } from "bun:test";
import { transports } from "../../src/client/transports/index.ts";
import { encodeMessage } from "../../src/core/message.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";

const body = encodeMessage({ user: "alice", text: "hello" });

describe.each(Object.entries(transports))("a message over %s", (protocol, transport) => {
  function createSender() {
    const sender = transport.createSender();
    afterwards(() => sender.close());
    return sender;
  }

  test.each([
    "169.254.169.254",
    "fe80::1",
    "224.0.0.1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "0xa9fea9fe",
  ])("does not leave for %s", async (host) => {
    expect(await createSender().send({ host, port: 80 }, body)).toEqual({
      type: "failed",
      reason: "Talk never contacts its address",
    });
  });

  test.each(["127.0.0.1", "localhost", "::ffff:127.0.0.1"])("reaches %s as ever", async (host) => {
    const inbox = createInbox<unknown>();
    const listener = await transport.listen({
      host: "127.0.0.1",
      port: 0,
      onMessage: inbox.push,
      advertised: (port) => ({ protocol: "UDP", host: "127.0.0.1", port }),
      registryIps: [],
    });
    afterwards(listener.close);
    const { type } = await createSender().send({ host, port: listener.port }, body);
    expect(type).toBe(protocol === "UDP" ? "sent" : "delivered");
    expect(await inbox.next()).toEqual({ user: "alice", text: "hello" });
  });
});
