/** A chat in which one client runs in a terminal, and the test plays everybody else. */

import { decodeMessage } from "../../src/core/message.ts";
import { Address, parse } from "../../src/core/schemas.ts";
import { createApp } from "../../src/registry/http/app.ts";
import { afterwards } from "./afterwards.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { listen, openTestStore } from "./registry.ts";
import { openClient, type ScreenOptions } from "./screen.ts";

export const ENTER = "\r";

export async function openRegistry(): Promise<{ url: string }> {
  return { url: listen(createApp({ store: await openTestStore("memory:") })) };
}

/** Registers a user. */
export async function put(registry: { url: string }, user: string, address: object): Promise<void> {
  await fetch(`${registry.url}/v1/users/${user}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
}

/** A user who receives over HTTP, with an inbox of what has arrived. */
export async function addPeer(registry: { url: string }, user: string) {
  const inbox: Inbox<string> = createInbox();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      inbox.push(decodeMessage(await request.bytes()).text);
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => server.stop(true));
  const address = { protocol: "HTTP", host: "127.0.0.1", port: server.port };
  await put(registry, user, address);
  return { inbox, address };
}

/** Alice in a terminal; `from` sends to her under any name. */
export async function alone(options: ScreenOptions = {}, args: string[] = [], registry?: { url: string }) {
  const chosen = registry ?? (await openRegistry());
  const alice = await openClient("alice", chosen, args, options);
  return { registry: chosen, alice, from: await writerTo(chosen, "alice") };
}

/** Alice in a terminal, with bob selected. */
export async function pair(options: ScreenOptions = {}, args: string[] = []) {
  const registry = await openRegistry();
  const bob = await addPeer(registry, "bob");
  const opened = await alone(options, args, registry);
  opened.alice.type(`:user bob${ENTER}`);
  await opened.alice.contains("your messages");
  return { ...opened, bob };
}

/** Where a user is registered. */
export async function addressOf(registry: { url: string }, user: string): Promise<Address> {
  return parse(Address, await (await fetch(`${registry.url}/v1/users/${user}`)).json());
}

/** Returns a function that sends to a user under any name. */
export async function writerTo(registry: { url: string }, user: string) {
  const { port } = await addressOf(registry, user);
  return async (sender: string, text: string) => {
    await fetch(`http://127.0.0.1:${port}/v1/message`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: sender, text }),
    });
  };
}
