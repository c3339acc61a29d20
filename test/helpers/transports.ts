/** Listeners and senders of every protocol, which end with the test. */
import { transports } from "../../src/client/transports/index.ts";
import type { Address, Message, Protocol } from "../../src/core/schemas.ts";
import { afterwards } from "./afterwards.ts";
import { createInbox } from "./inbox.ts";

const HOST = "127.0.0.1";
export const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];

/** A listener, and what arrives there. */
export async function listenOn(protocol: Protocol, host = HOST) {
  const inbox = createInbox<Message>();
  const listener = await transports[protocol].listen({
    host,
    port: 0,
    onMessage: inbox.push,
    advertised: (port): Address => ({ protocol, host, port }),
    registryIps: [HOST],
  });
  afterwards(listener.close);
  return { inbox, port: listener.port, close: listener.close };
}

/** What sends over a protocol, until the test ends. */
export function senderOf(protocol: Protocol) {
  const made = transports[protocol].createSender();
  afterwards(made.close);
  return made;
}

/** Hands raw bytes to a listener as a peer of another make would, and gives its answer, if the protocol has one. */
export const raw: Record<
  Protocol,
  (port: number, body: string | Uint8Array<ArrayBuffer>) => Promise<unknown>
> = {
  async HTTP(port, body) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`http://${HOST}:${port}/v1/message`, { method: "POST", headers, body });
    return answer.json();
  },
  async WEBSOCKET(port, body) {
    const socket = new WebSocket(`ws://${HOST}:${port}/v1/ws/message`);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    socket.onopen = () => socket.send(body);
    socket.onmessage = ({ data }) => resolve(data === "OK" ? { status: "ok" } : JSON.parse(data));
    socket.onclose = ({ code }) => resolve({ closed: code });
    afterwards(() => socket.terminate());
    return promise;
  },
  async UDP(port, body) {
    const socket = await Bun.udpSocket({ hostname: HOST });
    socket.send(body, port, HOST);
    socket.close();
    return undefined;
  },
};
