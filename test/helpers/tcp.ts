/** TCP servers that a test decides about. */
import { createServer, type Server, type Socket } from "node:net";
import { afterwards } from "./afterwards.ts";

/** A port where connections are taken, and nothing is ever answered. */
export async function hangingPort(): Promise<number> {
  return Number(new URL(await listening(createServer(() => {}))).port);
}

/** Starts a TCP server on a free port of loopback, and gives the URL. */
export async function listening(server: Server): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  afterwards(() => server.close());
  const bound = server.address();
  return `http://127.0.0.1:${typeof bound === "object" && bound ? bound.port : 0}`;
}

/** A TCP server that does with each connection what it is told; gives its port. */
export async function tcpPeer(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onConnection(socket);
  });
  return Number(new URL(await listening(server)).port);
}
