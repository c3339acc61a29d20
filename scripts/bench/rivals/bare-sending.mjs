/**
 * The least Bun code that sends messages and waits for what Talk waits for: `bun bare-sending.mjs PROTOCOL window port…`.
 * For each line of input, a number of seconds, it sends so long and prints how many messages a second were settled.
 */
import { serveSending } from "../sending-loop.ts";

/** How long a datagram is waited for: the silence after which it counts as sent. */
const SILENCE_MS = 100;

const [protocol = "", window, ...ports] = process.argv.slice(2);
let sent = 0;
const body = '{"user":"alice","text":"hello bob, lunch at one?"}';

const peers = await Promise.all(ports.map(open));
await serveSending(Number(window), () => peers[sent++ % peers.length]());

/** A function that sends one message to a port, and resolves when its outcome is known. */
async function open(port) {
  switch (protocol) {
    case "HTTP": {
      const headers = { "content-type": "application/json" };
      const url = `http://127.0.0.1:${port}/v1/message`;
      return () => fetch(url, { method: "POST", headers, body });
    }
    case "WEBSOCKET": {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws/message`);
      const waiting = [];
      await new Promise((opened) => socket.addEventListener("open", opened));
      socket.addEventListener("message", () => waiting.shift()?.());
      return () =>
        new Promise((resolve) => {
          waiting.push(resolve);
          socket.send(body);
        });
    }
    default: {
      const connect = { hostname: "127.0.0.1", port: Number(port) };
      const socket = await Bun.udpSocket({ connect, socket: { error() {} } });
      return () => {
        socket.send(body);
        return new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
      };
    }
  }
}
