import { urlHost } from "../../core/address.ts";
import { type MayContact, resolveContact } from "../../core/denylist.ts";
import { readCloseReason } from "../../core/http.ts";
import { CLIENT_PATHS, WEBSOCKET_CLOSE, WEBSOCKET_OK } from "../../core/protocol.ts";
import { openWebSocket } from "../../core/request.ts";
import { isRecord } from "../../core/schemas.ts";
import { byConnection } from "../happy-eyeballs.ts";
import { notReached, unreachable } from "../network-errors.ts";
import type { Connection } from "./connection-pool.ts";
import type { Deferral, Outcome } from "./types.ts";

/** How long opening a connection and then an answer may take, in milliseconds: 5 s in all. */
const OPEN_MS = 3000;
const ANSWER_MS = 2000;

/** Most characters of an answer, because Bun's WebSocket takes frames of any length; Talk's own are far shorter. */
const MAX_ANSWER = 4096;

/** How long to wait if the peer does not say, in milliseconds. */
const DEFERRAL_MS = 1000;

/** A frame awaiting its answer; answers come in the order of the frames. */
interface Frame {
  body: string;
  /** When it was sent, by `performance.now()`. */
  sentAt: number;
  settle: (outcome: Outcome | Deferral) => void;
}

/** Opens a connection to a peer, kept as long as it lasts. */
export function openWebSocketConnection(
  host: string,
  port: number,
  onEnded: () => void,
  mayContact?: MayContact,
): Connection {
  let socket: WebSocket | undefined;
  const waiting: Frame[] = [];
  let open = false;
  let answered = false;
  /** Answers still due for frames already settled as `sent`; they come before those of waiting frames. */
  let late = 0;
  let ended: Outcome | Deferral | undefined;
  let answerTimer: Timer | undefined;
  const openTimer = setTimeout(
    () => end({ type: "failed", reason: `no connection in ${OPEN_MS / 1000} s`, absent: true }),
    OPEN_MS,
  );

  resolveContact(host, mayContact)
    .then((ips) => byConnection(ips, port))
    .then(([ip = host, ...others]) => connect(ip, others), fail);

  /** @param others the host's other IP addresses, for when this one refuses */
  function connect(ip: string, others: string[]) {
    if (ended) return;
    const opening = openWebSocket(`ws://${urlHost(ip)}:${port}${CLIENT_PATHS.webSocket}`, {
      host: `${urlHost(host)}:${port}`,
    });
    socket = opening;
    opening.addEventListener("open", () => {
      clearTimeout(openTimer);
      open = true;
      for (const frame of waiting) transmit(frame);
    });
    opening.addEventListener("message", ({ data }) => {
      answered = true;
      if (data.length > MAX_ANSWER) return end({ type: "broken" });
      if (late > 0) late--;
      else waiting.shift()?.settle(readAnswer(data));
    });
    opening.addEventListener("error", (event) => {
      if (open) return;
      const error = "error" in event ? event.error : undefined;
      const [next, ...rest] = others;
      if (next === undefined || unreachable(error) === undefined) fail(error);
      else connect(next, rest);
    });
    opening.addEventListener("close", ({ code, reason }) => {
      if (socket === opening) end(farewell(code, reason));
    });
  }

  function fail(error: unknown) {
    end(notReached(error) ?? { type: "failed", reason: "it does not accept WebSocket connections" });
  }

  function transmit(frame: Frame) {
    socket?.send(frame.body);
    frame.sentAt = performance.now();
    answerTimer ??= setTimeout(checkAnswers, ANSWER_MS);
  }

  /** Settles frames whose answer is overdue. One timer serves all, because answers come in the order of the frames. */
  function checkAnswers() {
    answerTimer = undefined;
    const now = performance.now();
    for (let [frame] = waiting; frame; [frame] = waiting) {
      const left = frame.sentAt + ANSWER_MS - now;
      if (left > 0) {
        answerTimer = setTimeout(checkAnswers, left);
        return;
      }
      // A peer that has answered before, or does not even read, is gone; the next message reconnects.
      if (answered || socket?.bufferedAmount) return end({ type: "unanswered", seconds: ANSWER_MS / 1000 });
      late++;
      waiting.shift();
      frame.settle({ type: "sent" });
    }
  }

  function end(outcome: Outcome | Deferral) {
    if (ended) return;
    ended = outcome;
    clearTimeout(openTimer);
    clearTimeout(answerTimer);
    onEnded();
    for (const frame of waiting.splice(0)) frame.settle(outcome);
    socket?.terminate();
  }

  return {
    send(body) {
      if (ended) return Promise.resolve(ended);
      const { promise, resolve } = Promise.withResolvers<Outcome | Deferral>();
      const frame = { body, sentAt: 0, settle: resolve };
      waiting.push(frame);
      if (open) transmit(frame);
      return promise;
    },
    close: () => end({ type: "broken" }),
  };
}

/** What a close code (RFC 6455 §7.4.1) means for unanswered frames. */
function farewell(code: number, reason: string): Outcome | Deferral {
  if (code === WEBSOCKET_CLOSE.tooFast || code === WEBSOCKET_CLOSE.tryAgain)
    return { type: "deferred", ms: readCloseReason(reason) || DEFERRAL_MS };
  if (code === 1009) return { type: "failed", reason: "the message is too long for it", permanent: true };
  // A normal close: this peer never answers.
  if (code === 1000 || code === 1001) return { type: "sent" };
  return { type: "broken" };
}

function readAnswer(data: unknown): Outcome {
  if (data === WEBSOCKET_OK) return { type: "delivered" };
  try {
    const answer: unknown = JSON.parse(String(data));
    if (isRecord(answer) && answer.status === "error") {
      const { message } = answer;
      return { type: "failed", reason: typeof message === "string" ? message : "it answered with an error" };
    }
  } catch {
    // Not JSON: a peer with answers of its own, which tell us nothing.
  }
  return { type: "sent" };
}
