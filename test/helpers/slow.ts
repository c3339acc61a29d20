/** Connections that send too little, or too slowly. */
import { connect } from "node:net";

/** What a connection sends at once, and what it repeats after that, to a listener that accepts POST on a path. */
export function slowTalkers(path: string): [first: string, again: string][] {
  const post = `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n`;
  const health = "GET /v1/health HTTP/1.1\r\nHost: h\r\n\r\n";
  return [
    // Nothing, nothing more in the headers, the headers byte by byte.
    ["", ""],
    [`GET ${path} HTTP/1.1\r\nHost: h\r\nX: `, ""],
    [`GET ${path} HTTP/1.1\r\nHost: h\r\nX: `, "x"],
    // Nothing more in the body, the body byte by byte, chunk by chunk.
    [`${post}Content-Length: 1000\r\n\r\n{`, ""],
    [`${post}Content-Length: 1000\r\n\r\n`, " "],
    [`${post}Transfer-Encoding: chunked\r\n\r\n`, "1\r\n \r\n"],
    // Nothing after an answer, and the next request byte by byte.
    [health, ""],
    [`${health}GET /`, "x"],
  ];
}

/** Resolves to how long a connection lived, in milliseconds. */
export function livesFor(port: number, [first, again]: [string, string]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const began = performance.now();
  const socket = connect(port, "127.0.0.1", () => socket.write(first));
  const timer = setInterval(() => socket.write(again), 500);
  socket.on("data", () => {});
  socket.on("error", () => {});
  socket.on("close", () => {
    clearInterval(timer);
    resolve(performance.now() - began);
  });
  return promise;
}
