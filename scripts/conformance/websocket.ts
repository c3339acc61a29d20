import { urlHost } from "../../src/core/address.ts";
import { atMost } from "../../src/core/clock.ts";
import { CLIENT_PATHS } from "../../src/core/protocol.ts";
import { openWebSocket } from "../../src/core/request.ts";
import { Mismatch } from "./row.ts";

/** How long opening and answering may take, in milliseconds. A peer may also never answer. */
const OPEN_MS = 3000;
const ANSWER_MS = 1000;

export interface Exchange {
  /** The frames received, up to one for each sent. */
  answers: string[];
  instead(expected: string): never;
}

/** Sends frames on one connection. @throws Mismatch if it does not open */
export async function exchangeFrames(
  { host, port }: { host: string; port: number },
  frames: readonly string[],
): Promise<Exchange> {
  const url = `ws://${urlHost(host)}:${port}${CLIENT_PATHS.webSocket}`;
  const sent = [url, ...frames].join(" ");
  const answers: string[] = [];
  const socket = openWebSocket(url);
  const opened = Promise.withResolvers<boolean>();
  const answered = Promise.withResolvers<void>();
  let closed: number | undefined;
  socket.addEventListener("open", () => opened.resolve(true));
  socket.addEventListener("message", ({ data }) => {
    if (answers.push(String(data)) === frames.length) answered.resolve();
  });
  socket.addEventListener("close", ({ code }) => {
    closed = code;
    opened.resolve(false);
    answered.resolve();
  });
  try {
    if (!(await atMost(OPEN_MS, opened.promise))) {
      throw new Mismatch("a connection that opens", sent, `close code ${closed ?? "none"}`);
    }
    for (const frame of frames) socket.send(frame);
    if (frames.length > 0) await atMost(ANSWER_MS, answered.promise);
    const received =
      [...answers, ...(closed === undefined ? [] : [`close code ${closed}`])].join(" ") || "nothing";
    return {
      answers,
      instead(expected) {
        throw new Mismatch(expected, sent, received);
      },
    };
  } finally {
    socket.terminate();
  }
}
