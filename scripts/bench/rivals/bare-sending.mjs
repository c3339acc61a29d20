/**
 * The least Bun code that sends messages and waits for the same outcome as Talk: `bun bare-sending.mjs PROTOCOL window
 * port…`. Each line of input is a number of seconds to send for; prints the messages settled per second.
 */
import { serveSending } from "../sending-loop.ts";

/** How long to wait for a refusal before a datagram counts as sent, in milliseconds. */
const SILENCE_MS = 100;

const [protocol = "", window, ...ports] = process.argv.slice(2);
let sent = 0;
const body = '{"user":"alice","text":"hello bob, lunch at one?"}';

const peers = await Promise.all(ports.map(open));
await serveSending(Number(window), () => peers[sent++ % peers.length]());

/** A function that sends one message to a port and resolves once its outcome is known. */
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
