/** Many readers of a stream, each a plain socket that costs this process next to nothing. */
import type { Socket } from "bun";

export interface Readers {
  /** Bytes received by all readers. */
  bytes(): number;
  /** The number of readers still connected. */
  open(): number;
  /** Resolves once every reader has received a text sent from now on. */
  all(text: string): Promise<void>;
  close(): void;
}

/** Sockets opened concurrently. */
const BATCH = 200;

/** Resolves once every reader has received its first bytes. @param path the path of the stream */
export async function openReaders(url: string, path: string, count: number): Promise<Readers> {
  const { hostname, port, host } = new URL(url);
  const sockets = new Set<Socket>();
  const begun = Promise.withResolvers<void>();
  let waiting: { text: Buffer; missing: number; done: () => void } | undefined;
  let beginners = 0;
  let bytes = 0;

  async function open(): Promise<void> {
    let isNew = true;
    /** The end of the last chunk, for a text split over two chunks. */
    let end = Buffer.alloc(0);
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data(_, chunk) {
          bytes += chunk.byteLength;
          if (isNew && ++beginners === count) begun.resolve();
          isNew = false;
          if (!waiting) return;
          const text = end.byteLength > 0 ? Buffer.concat([end, chunk]) : chunk;
          if (text.includes(waiting.text)) {
            end = Buffer.alloc(0);
            if (--waiting.missing === 0) waiting.done();
          } else end = Buffer.from(text.subarray(-waiting.text.byteLength));
        },
        close: (socket) => void sockets.delete(socket),
        error: (socket) => void sockets.delete(socket),
      },
    });
    sockets.add(socket);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }

  for (let left = count; left > 0; left -= BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, left) }, open));
  }
  await begun.promise;

  return {
    bytes: () => bytes,
    open: () => sockets.size,
    all(text) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = { text: Buffer.from(text), missing: count, done: resolve };
      return promise;
    },
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}
