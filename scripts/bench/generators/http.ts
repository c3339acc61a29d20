/**
 * Load generator for machines without wrk: `bun http.ts URL connections seconds kind users tag etag`. Each connection
 * sends its next request once the last is answered. Counts bytes instead of parsing, to be cheap.
 */
const [url = "", connections, seconds, kind, users, tag, etag = ""] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const until = performance.now() + Number(seconds) * 1000;
const began = performance.now();
let sent = 0;
let answers = 0;
let failed = 0;

/** Bytes still missing from the current response. */
interface Connection {
  expected: number;
}

const closed: Promise<void>[] = [];
for (let i = 0; i < Number(connections); i++) {
  const { promise, resolve } = Promise.withResolvers<void>();
  closed.push(promise);
  await Bun.connect<Connection>({
    hostname,
    port: Number(port),
    data: { expected: 0 },
    socket: {
      open: (socket) => void socket.write(nextRequest()),
      data(socket, chunk) {
        const connection = socket.data;
        if (connection.expected === 0) {
          const end = chunk.indexOf("\r\n\r\n");
          const head = chunk.toString("latin1", 0, end);
          if (!/^HTTP\/1.1 (2|304)/.test(head)) failed++;
          connection.expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        }
        connection.expected -= chunk.byteLength;
        if (connection.expected > 0) return;
        answers++;
        if (performance.now() < until) socket.write(nextRequest());
        else socket.end();
      },
      close: () => resolve(),
    },
  });
}
await Promise.all(closed);
process.stdout.write(`answers=${answers} seconds=${(performance.now() - began) / 1000} failed=${failed}\n`);

function nextRequest(): string {
  const i = sent++;
  switch (kind) {
    case "put":
      return withBody("PUT", `/v1/users/user-${i % Number(users)}`, address(i % Number(users)));
    case "post":
      return withBody("POST", "/v1/users", `{"user":"${tag}-${i}","address":${address(i)}}`);
    case "message":
      return withBody("POST", "/v1/message", '{"user":"alice","text":"hello bob, lunch at one?"}');
    default:
      return `GET /v1/users/ HTTP/1.1\r\nHost: ${host}\r\n${etag && `If-None-Match: ${etag}\r\n`}\r\n`;
  }
}

function address(i: number): string {
  return `{"protocol":"UDP","host":"10.0.0.5","port":${1024 + (i % 60_000)}}`;
}

function withBody(method: string, path: string, body: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
