/** Checks the state after the fuzzing. */
import { Address, isRecord, parse, UserParams } from "../../src/core/schemas.ts";
import type { Target } from "./target.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const JSON_TYPE = { "content-type": "application/json" };

/** How long a message may take to be shown, in milliseconds. */
const SHOWN_MS = 5000;

/** Checks that a registry lists only valid users, and that every operation on a new one works. */
export async function registryFaults({ origin }: URL): Promise<string[]> {
  const users = `${origin}/v1/users`;
  const list: unknown = await (await fetch(`${users}/`)).json();
  const faults: string[] = [];
  for (const [user, address] of Object.entries(isRecord(list) ? list : {})) {
    try {
      parse(UserParams, { user });
      parse(Address, address);
      if (Object.keys(Object(address)).join() !== "protocol,host,port") throw new Error("keys");
    } catch {
      faults.push(`the registry lists ${JSON.stringify({ [user]: address })}`);
    }
  }
  const body = JSON.stringify({ user: "carol", address: HERE });
  const created = await fetch(users, { method: "POST", headers: JSON_TYPE, body });
  const taken = await fetch(users, { method: "POST", headers: JSON_TYPE, body });
  const read: unknown = await (await fetch(`${users}/carol`)).json();
  const removed = await fetch(`${users}/carol`, { method: "DELETE" });
  const missing = await fetch(`${users}/carol`);
  const seen = [created, taken, removed, missing].map(({ status }) => status).join();
  if (seen !== "200,409,200,404" || !Bun.deepEquals(read, HERE)) faults.push(`a new user's life was ${seen}`);
  return faults;
}

/** Checks that a client still shows messages. */
export async function clientFaults(
  { name, url, said }: Target,
  protocol: "HTTP" | "WEBSOCKET" | "UDP",
): Promise<string[]> {
  const message = JSON.stringify({ user: "carol", text: "are you well?" });
  switch (protocol) {
    case "HTTP":
      await fetch(`${url.origin}/v1/message`, { method: "POST", headers: JSON_TYPE, body: message });
      break;
    case "WEBSOCKET": {
      const socket = new WebSocket(`ws://${url.host}/v1/ws/message`);
      socket.addEventListener("open", () => socket.send(message));
      break;
    }
    case "UDP":
      (await Bun.udpSocket({ connect: { hostname: url.hostname, port: Number(url.port) } })).send(message);
  }
  for (let waited = 0; waited < SHOWN_MS; waited += 50) {
    if (said.some((line) => /^carol\??: are you well\?$/.test(line))) return [];
    await Bun.sleep(50);
  }
  return [`${name} no longer shows messages`];
}
