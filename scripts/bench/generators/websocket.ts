/**
 * Sends messages over WebSocket: `bun websocket.ts port connections window seconds`. Keeps `window` frames in flight per
 * connection. Reuses its frames and counts answers by their bytes, to be cheap.
 */
import { CLIENT_PATHS } from "../../../src/core/protocol.ts";

const [port, connections, window, seconds] = process.argv.slice(2).map(Number);
if (!port || !connections || !window || !seconds) throw new Error("port connections window seconds");

const payload = Buffer.from('{"user":"alice","text":"hello bob, lunch at one?"}');
/** A masked text frame (RFC 6455 §5.2); a mask of zeros leaves the text unchanged. */
const frame = Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
/** The text frame `OK`. */
const answer = Buffer.from([0x81, 2, 0x4f, 0x4b]);
const frames = Buffer.concat(Array<Buffer>(window).fill(frame));
const handshake = [
  `GET ${CLIENT_PATHS.webSocket} HTTP/1.1`,
  `Host: 127.0.0.1:${port}`,
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "\r\n",
].join("\r\n");

let answers = 0;
const began = performance.now();
const until = began + seconds * 1000;

interface Connection {
  open: boolean;
  /** Bytes of an incomplete answer. */
  rest: number;
  /** Bytes that the socket has not accepted yet. */
  unsent: Buffer;
}

for (let i = 0; i < connections; i++) {
  await Bun.connect<Connection>({
    hostname: "127.0.0.1",
    port,
    data: { open: false, rest: 0, unsent: Buffer.alloc(0) },
    socket: {
      open: (socket) => void socket.write(handshake),
      data(socket, chunk) {
        const connection = socket.data;
        if (!connection.open) {
          if (!chunk.includes("101 Switching")) throw new Error(`no upgrade: ${chunk}`);
          connection.open = true;
          send(socket, frames);
          return;
        }
        const bytes = connection.rest + chunk.byteLength;
        if (connection.rest === 0 && !chunk.subarray(0, 4).equals(answer.subarray(0, bytes)))
          throw new Error(`not OK: ${chunk}`);
        const count = Math.floor(bytes / answer.length);
        connection.rest = bytes % answer.length;
        answers += count;
        if (performance.now() < until) send(socket, frames.subarray(0, count * frame.length));
        else finish();
      },
      drain: (socket) => send(socket, Buffer.alloc(0)),
      close: () => {
        throw new Error("the receiver closed the connection");
      },
    },
  });
}

function send(socket: Bun.Socket<Connection>, bytes: Buffer): void {
  const all = Buffer.concat([socket.data.unsent, bytes]);
  socket.data.unsent = all.subarray(socket.write(all));
}

function finish(): never {
  process.stdout.write(`answers=${answers} seconds=${(performance.now() - began) / 1000}\n`);
  process.exit(0);
}
