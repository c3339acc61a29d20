/** Sends fuzzed frames to a client: text and binary frames over a WebSocket, and malformed ones over bare sockets. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { WEBSOCKET_CLOSE } from "../../src/core/protocol.ts";
import { below, mutate, type Random } from "./chance.ts";
import { messageBytes } from "./messages.ts";
import { HANG_MS } from "./run.ts";

/** Frames per connection, and so per attempt. */
export const FRAMES_PER_CONNECTION = 100;
const RAW_SHARE = 0.2;

/** Sends one connection's frames. Each must be answered, unless one of them closes the connection. */
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
  // Two closes are right: of a frame over 64 KiB, and by a client whose output we read too slowly.
  socket.addEventListener("close", ({ code, reason }) => {
    const isRight = code === 1009 || (code === WEBSOCKET_CLOSE.tooFast && reason.startsWith("Retry-After: "));
    resolve(isRight ? String(code) : `!closed ${code} ${reason}`);
  });
  return promise.finally(() => {
    clearTimeout(timer);
    socket.terminate();
  });
}

/** After a valid handshake, frames with wrong lengths, opcodes, masks and reserved bits; the client must close. */
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

/** A masked text frame (RFC 6455 §5.2), often mutated. The mask is zero, so that the bytes stay readable. */
function frame(random: Random): Uint8Array {
  const body = Buffer.from(messageBytes(random)).subarray(0, 60_000);
  const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255];
  const opcode = random() < 0.7 ? 0x81 : below(random, 256);
  const bytes = Buffer.concat([Buffer.from([opcode, ...length, 0, 0, 0, 0]), body]);
  return random() < 0.5 ? bytes : mutate(random, bytes);
}
