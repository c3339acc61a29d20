/** Sends fuzzed frames to a client: as texts and binaries by a WebSocket, and as broken bytes over bare sockets. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { below, mutate, type Random } from "./chance.ts";
import { messageBytes } from "./messages.ts";
import { HANG_MS } from "./run.ts";

/** Frames that share a connection; a run counts frames, so that an attempt is this many. */
export const FRAMES_PER_CONNECTION = 100;
const RAW_SHARE = 0.2;

/** One connection's worth of frames. Every text or binary frame is answered, unless one of them ends the connection. */
export function framesAttempt({ host }: URL) {
  const [hostname = "", port] = host.split(":");
  return (random: Random): Promise<string> =>
    random() < RAW_SHARE ? broken(hostname, Number(port), random) : wellFormed(host, random);
}

function wellFormed(host: string, random: Random): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = new WebSocket(`ws://${host}/v1/ws/message`);
  const timer = setTimeout(() => resolve("!hang"), HANG_MS);
  let answers = 0;
  socket.addEventListener("open", () => {
    for (let i = 0; i < FRAMES_PER_CONNECTION; i++) {
      const bytes = messageBytes(random);
      socket.send(random() < 0.9 ? Buffer.from(bytes).toString() : bytes);
    }
  });
  socket.addEventListener("message", ({ data }) => {
    if (data !== "OK" && !String(data).startsWith('{"status":"error"')) resolve("!odd answer");
    if (++answers === FRAMES_PER_CONNECTION) resolve("all answered");
  });
  // A frame over 64 KiB ends the connection, in good order.
  socket.addEventListener("close", ({ code }) => resolve(code === 1009 ? "1009" : `!closed ${code}`));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.terminate();
  });
}

/** After a handshake in order, frames with wrong lengths, opcodes, masks and reserved bits; it has to be closed. */
function broken(hostname: string, port: number, random: Random): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, hostname, () => {
    const key = randomBytes(16).toString("base64");
    const head = `GET /v1/ws/message HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
    socket.write(head);
    const frames = Array.from({ length: FRAMES_PER_CONNECTION }, () => frame(random));
    socket.end(Buffer.concat(frames));
  });
  const timer = setTimeout(() => resolve("!hang"), HANG_MS);
  socket.on("data", () => {});
  socket.on("error", () => resolve("broken, closed"));
  socket.on("close", () => resolve("broken, closed"));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** A masked text frame (RFC 6455 §5.2), usually mutated. The mask is zero, so that the bytes stay readable. */
function frame(random: Random): Uint8Array {
  const body = Buffer.from(messageBytes(random)).subarray(0, 60_000);
  const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255];
  const opcode = random() < 0.7 ? 0x81 : below(random, 256);
  const bytes = Buffer.concat([Buffer.from([opcode, ...length, 0, 0, 0, 0]), body]);
  return random() < 0.5 ? bytes : mutate(random, bytes);
}
