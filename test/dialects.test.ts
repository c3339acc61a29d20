/** Peers of other dialects: our registry keeps their clients, and their registries keep ours. */
import { describe, expect, test } from "bun:test";
import { join } from "talk/client";
import { createRegistry } from "talk/registry";
import type { Address, Protocol } from "../src/core/schemas.ts";
import type { LogEvent } from "../src/registry/log.ts";
import { afterwards } from "./helpers/afterwards.ts";
import {
  envelope,
  startIdCheckerClient,
  startIdCheckerRegistry,
  startMessageClient,
  startMessageRegistry,
  startWebSocketClient,
} from "./helpers/dialects.ts";
import { createInbox } from "./helpers/inbox.ts";

const CHECKS = 20;

/** Our registry with one user, who is checked as fast as can be; `checks` are the rounds of it. */
async function registered(address: Address, checkWindow = 1000) {
  const events = createInbox<LogEvent>();
  const registry = await createRegistry({
    store: "memory:",
    checkInterval: 100,
    checkWindow,
    log: (event) => ["round", "removed"].includes(event.type) && events.push(event),
  });
  afterwards(() => registry.close());
  const url = await registry.listen({ port: 0 });
  await fetch(`${url}/v1/users/kotlin`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
  return {
    events,
    async checks(count: number) {
      for (let i = 0; i < count; i++) expect(await events.next()).toMatchObject({ type: "round", failed: 0 });
    },
    isListed: async () => (await fetch(`${url}/v1/users/kotlin`)).status === 200,
  };
}

/** Our client, at a registry of ours, and the address that it has registered. */
async function joined(protocol: Protocol) {
  const registry = await createRegistry({ store: "memory:" });
  afterwards(() => registry.close());
  const client = await join({
    name: "bob",
    protocol,
    registry: await registry.listen({ port: 0 }),
    host: "127.0.0.1",
    port: 0,
  });
  afterwards(() => client.close());
  return client;
}

describe("our registry keeps", () => {
  test("a client on UDP that knows only id-checker, with at most 12 probes on its screen and none after the first check", async () => {
    const { address, received, screen } = await startIdCheckerClient();
    const { checks, isListed } = await registered(address);
    await checks(1);
    expect(screen.length).toBeLessThanOrEqual(12);
    const first = [received.length, screen.length];
    await checks(CHECKS - 1);
    expect(await isListed()).toBe(true);
    expect(screen.length).toBe(first[1] ?? 0);
    expect(received.length).toBeGreaterThanOrEqual((first[0] ?? 0) + CHECKS - 2);
    expect(received.at(-1)).toStartWith("id-checker ");
  });

  test("a client on UDP that knows only id-checker, and answers each probe after the next ones were sent", async () => {
    const { address, received } = await startIdCheckerClient(3);
    const { checks, isListed } = await registered(address);
    await checks(CHECKS);
    expect(await isListed()).toBe(true);
    expect(received.at(-1)).toStartWith("id-checker ");
  });

  test("a client on UDP that crashes on anything but a message, and is never sent id-checker", async () => {
    const { address, received, isAlive } = await startMessageClient();
    const { checks, isListed } = await registered(address);
    await checks(CHECKS);
    expect([await isListed(), isAlive()]).toEqual([true, true]);
    expect(received.filter((text) => text.includes("id-checker"))).toEqual([]);
  });

  test("a client on WebSocket that accepts only /", async () => {
    const { address, paths } = startWebSocketClient("/");
    const { checks, isListed } = await registered(address);
    await checks(CHECKS);
    expect(await isListed()).toBe(true);
    expect(paths.slice(0, 2)).toEqual(["/v1/ws/message", "/"]);
  });

  test("a client on WebSocket that knows our path, without trying another", async () => {
    const { address, paths } = startWebSocketClient("/v1/ws/message");
    const { checks } = await registered(address);
    await checks(CHECKS);
    expect(new Set(paths)).toEqual(new Set(["/v1/ws/message"]));
  });
});

test("a client that has answered a message is never sent id-checker, which could crash it, even while silent", async () => {
  const { address, received, isAlive, mute } = await startMessageClient();
  const { events, checks } = await registered(address, 500);
  await checks(2);
  mute();
  for (let event = await events.next(); event.type !== "removed"; event = await events.next());
  expect(isAlive()).toBe(true);
  expect(received.length).toBeGreaterThan(20);
});

test("a client on WebSocket that refuses every path is removed", async () => {
  const { address, paths } = startWebSocketClient("/elsewhere");
  const { events } = await registered(address);
  for (let event = await events.next(); event.type !== "removed"; event = await events.next());
  expect(new Set(paths)).toEqual(new Set(["/v1/ws/message", "/"]));
});

describe("our client is kept on UDP by a registry", () => {
  test.each([
    ["that crashes on anything but a message, and looks for its address", startMessageRegistry],
    ["that knows id-checker alone", startIdCheckerRegistry],
  ])("%s, and answers nothing longer than the probe", async (_, start) => {
    const { address } = await joined("UDP");
    const registry = await start();
    for (let i = 0; i < CHECKS; i++) {
      const { sent, answer } = await registry.check(address);
      expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(Buffer.byteLength(sent));
    }
    expect(registry.keeps()).toBe(true);
  });
});

describe("our client is kept by a registry that", () => {
  test("opens / on its WebSocket port; a message may come there, too", async () => {
    const client = await joined("WEBSOCKET");
    const { port } = client.address;
    const opened = createInbox<WebSocket>();
    for (let i = 0; i < CHECKS; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      socket.onopen = () => opened.push(socket);
      socket.onerror = () => socket.close();
      (await opened.next()).close();
    }
    const last = new WebSocket(`ws://127.0.0.1:${port}/`);
    afterwards(() => last.terminate());
    const answers = createInbox<string>();
    last.onmessage = ({ data }) => answers.push(data);
    last.onopen = () => last.send('{"user":"alice","text":"hello"}');
    expect(await answers.next()).toBe("OK");
  });

  test.each([
    ["asks for the health at /", "/", "okhttp/4.8.1", '{"status":"ok"}'],
    ["looks at its health's status", "/v1/health", "okhttp/4.8.1", '{"status":"ok"}'],
    ["wants its health to be OK", "/v1/health", "Ktor client", "OK"],
    ["wants its health to be OK, of a later version", "/v1/health", "ktor-client", "OK"],
  ])("%s over HTTP", async (_, path, agent, body) => {
    const { address } = await joined("HTTP");
    const answer = await fetch(`http://127.0.0.1:${address.port}${path}`, {
      headers: { "user-agent": agent },
    });
    expect([answer.status, await answer.text()]).toEqual([200, body]);
  });
});

test("two clients pointed at each other do not loop, whether or not the id is a number", async () => {
  const [alice, bob] = [await joined("UDP"), await joined("UDP")];
  const seen = createInbox<string>();
  const relay = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (_, datagram) => seen.push(datagram.toString()), error() {} },
  });
  afterwards(() => relay.close());
  for (const id of ["7398252207036025997", "loop"]) {
    // The answer goes to bob, to whom it looks like a probe of alice, who answers, and so on.
    relay.send(envelope({ host: "127.0.0.1", port: bob.address.port, id }), alice.address.port, "127.0.0.1");
    // Whoever still answers the id has not used up the times that it answers one.
    let answers = 0;
    for (const { address } of [alice, bob]) {
      for (let i = 0; i < 6; i++)
        relay.send(envelope({ host: "127.0.0.1", port: relay.port, id }), address.port, "127.0.0.1");
      relay.send(`id-checker after-${id}`, address.port, "127.0.0.1");
      for (let answer = await seen.next(); !answer.includes("after-"); answer = await seen.next()) answers++;
    }
    expect(answers).toBeLessThanOrEqual(6);
  }
  // Neither has shown the other's answer to its user.
  relay.send('{"user":"carol","text":"done"}', alice.address.port, "127.0.0.1");
  relay.send('{"user":"carol","text":"done"}', bob.address.port, "127.0.0.1");
  for (const client of [alice, bob]) {
    for await (const event of client) {
      if (event.type !== "message") continue;
      expect(event.user).toBe("carol");
      break;
    }
  }
});
