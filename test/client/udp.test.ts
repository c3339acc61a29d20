/** What is of UDP alone. */
import { describe, expect, test } from "bun:test";
import { encodeMessage } from "../../src/core/message.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { listenOn, raw, senderOf } from "../helpers/transports.ts";

const HOST = "127.0.0.1";

describe("UDP", () => {
  /** A registry's side of a probe: a socket, and what arrives there. */
  async function prober() {
    const inbox = createInbox<string>();
    const socket = await Bun.udpSocket({
      hostname: HOST,
      socket: { data: (_, datagram) => inbox.push(datagram.toString()), error() {} },
    });
    afterwards(() => socket.close());
    return { socket, inbox };
  }

  const probe = (id: string, host: string, port: number) =>
    encodeMessage({ user: "healthCheck", text: JSON.stringify({ host, port, id }) });

  test("answers a probe in its own envelope, and never at greater length", async () => {
    const { inbox: messages, port } = await listenOn("UDP");
    const { socket, inbox } = await prober();
    const id = crypto.randomUUID();
    socket.send(probe(id, HOST, socket.port), port, HOST);
    expect(await inbox.next()).toBe(probe(id, HOST, port));
    // Ours would be longer: as a number the id takes four bytes less, and what the probe named fits in any case.
    socket.send(probe("-33982522070360259", "0.0.0.0", socket.port), port, HOST);
    expect(await inbox.next()).toBe(probe("-33982522070360259", HOST, port).replace(/\\"(-\d+)\\"/, "$1"));
    const short = probe("1", "::", socket.port);
    socket.send(short, port, HOST);
    expect(await inbox.next()).toBe(short);
    const shorter = short.replace(/\\"1\\"/, "1");
    socket.send(shorter, port, HOST);
    expect(await inbox.next()).toBe(shorter);
    expect(messages.size()).toBe(0);
  });

  test("answers id-checker with the bare id, to where it came from", async () => {
    const { port } = await listenOn("UDP");
    const { socket, inbox } = await prober();
    const id = crypto.randomUUID();
    socket.send(`id-checker ${id}`, port, HOST);
    expect(await inbox.next()).toBe(id);
  });

  test("answers no probe towards a third address", async () => {
    const { port } = await listenOn("UDP");
    const { socket, inbox } = await prober();
    const victim = createInbox<string>();
    const third = await Bun.udpSocket({
      hostname: "127.0.0.2",
      socket: { data: (_, datagram) => victim.push(datagram.toString()) },
    });
    afterwards(() => third.close());
    socket.send(probe("aimed", "127.0.0.2", third.port), port, HOST);
    socket.send(probe("honest", HOST, socket.port), port, HOST);
    expect(await inbox.next()).toContain("honest");
    // Datagrams to one socket keep their order: what was answered before would be in front of this.
    socket.send("last", third.port, "127.0.0.2");
    expect(await victim.next()).toBe("last");
  });

  test("answers at most 20 probes a second", async () => {
    const { port } = await listenOn("UDP");
    const { socket, inbox } = await prober();
    for (let i = 0; i < 50; i++) socket.send(`id-checker ${i}`, port, HOST);
    for (let i = 0; i < 20; i++) expect(await inbox.next()).toBe(String(i));
    // The listener reads in order: once it has shown this message, it has passed over the other 30.
    const { inbox: messages, port: other } = await listenOn("UDP");
    socket.send('{"user":"alice","text":"done"}', other, HOST);
    await messages.next();
    expect(inbox.size()).toBe(0);
  });

  test("answers one id three times, so that two clients pointed at each other do not loop", async () => {
    const { port } = await listenOn("UDP");
    const { socket, inbox } = await prober();
    // What the other client would send back: the answer, which looks like a probe.
    for (let i = 0; i < 10; i++) socket.send(probe("loop", HOST, socket.port), port, HOST);
    for (let i = 0; i < 3; i++) expect(await inbox.next()).toContain("loop");
    socket.send(probe("last", HOST, socket.port), port, HOST);
    expect(await inbox.next()).toContain("last");
  });

  test("a message of healthCheck that is no probe is a message", async () => {
    const { inbox, port } = await listenOn("UDP");
    for (const text of ["hello", "{}", '{"host":"h","port":0,"id":"x"}', '{"host":"h","port":1}', "[1]"]) {
      await raw.UDP(port, encodeMessage({ user: "healthCheck", text }));
      expect(await inbox.next()).toEqual({ user: "healthCheck", text });
    }
  });

  test("one closed port does not cost another peer its message", async () => {
    const alive = await listenOn("UDP");
    const dead = await listenOn("UDP");
    await dead.close();
    const { send } = senderOf("UDP");
    const outcomes = [];
    for (let i = 0; i < 10; i++) {
      outcomes.push(send({ host: HOST, port: dead.port }, "{}"));
      outcomes.push(
        send({ host: HOST, port: alive.port }, encodeMessage({ user: "alice", text: String(i) })),
      );
    }
    for (let i = 0; i < 10; i++) expect((await alive.inbox.next()).text).toBe(String(i));
    const types = (await Promise.all(outcomes)).map(({ type }) => type);
    expect(types).toEqual(Array.from({ length: 10 }, () => ["failed", "sent"] as const).flat());
  });
});
