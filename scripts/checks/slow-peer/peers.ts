/**
 * Nine peers that answer at once, alternating HTTP and WebSocket, and a tenth that reads one byte a second on either.
 * Prints one line of JSON with their ports, the slow one's last.
 */
import { createServer, type Socket } from "node:net";

const HOST = "127.0.0.1";
const answer = { status: "ok" };

const ports = Array.from({ length: 9 }, (_, i) => {
  const server = Bun.serve({
    hostname: HOST,
    port: 0,
    fetch: (request, server) => (i % 2 === 1 && server.upgrade(request) ? undefined : Response.json(answer)),
    websocket: { message: (socket) => void socket.send("OK") },
  });
  return server.port;
});
const slow = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("readable", () => greet(socket));
});
slow.listen(0, HOST, () => {
  const address = slow.address();
  process.stdout.write(`${JSON.stringify([...ports, typeof address === "object" && address?.port])}\n`);
});

/** Accepts a WebSocket if asked to, and then reads one byte a second. */
function greet(socket: Socket): void {
  const key = /sec-websocket-key: (\S+)/i.exec(String(socket.read()))?.[1];
  // RFC 6455 §4.2.2.
  const accept = new Bun.CryptoHasher("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
  if (key !== undefined) socket.write(`${head}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const timer = setInterval(() => void socket.read(1), 1000);
  socket.on("close", () => clearInterval(timer));
}
