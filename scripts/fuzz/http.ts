/** Sends fuzzed requests: well-formed ones by fetch, broken ones over bare sockets. */
import { connect } from "node:net";
import type { Random } from "./chance.ts";
import { type FuzzRequest, rawBytes } from "./requests.ts";
import { HANG_MS } from "./run.ts";

/** The share of requests sent over a bare socket. */
const RAW_SHARE = 0.2;

/** An attempt that resolves to the status, or to what happened instead; a 5xx and a hang are faults. */
export function httpAttempt(base: URL, generate: (random: Random) => FuzzRequest) {
  return async (random: Random): Promise<string> => {
    const request = generate(random);
    const status =
      random() < RAW_SHARE ? await raw(base, rawBytes(random, request)) : await fetched(base, request);
    // 505 is Bun's own, correct answer to anything but HTTP/1.1.
    return /^5/.test(status) && status !== "505" ? `!${status}` : status;
  };
}

async function fetched(base: URL, { method, path, headers, body }: FuzzRequest): Promise<string> {
  try {
    const withBody = body && method !== "GET" && method !== "HEAD";
    const answer = await fetch(base.origin + path, {
      method,
      headers,
      ...(withBody && { body }),
      redirect: "manual",
      signal: AbortSignal.timeout(HANG_MS),
    });
    // An event stream never ends.
    if (answer.headers.get("content-type")?.startsWith("text/event-stream")) await answer.body?.cancel();
    else await answer.arrayBuffer();
    return String(answer.status);
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") return "!hang";
    // Refused by fetch itself, or closed by the registry while we were still sending.
    return "no answer";
  }
}

/** Resolves to the status of the first answer, or `closed`. */
function raw({ hostname, port }: URL, bytes: Uint8Array): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname, () => socket.end(bytes));
  const timer = setTimeout(() => resolve("!hang"), HANG_MS);
  socket.once("data", (data) =>
    resolve(/^HTTP\/1\.1 (\d+)/.exec(data.toString("latin1"))?.[1] ?? "!no HTTP"),
  );
  socket.on("error", () => resolve("closed"));
  socket.on("close", () => resolve("closed"));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
