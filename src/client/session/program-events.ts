/** Events for programs: the lines of `--json`, and what `talk/client` yields. */
import type { Address, UserName } from "../../core/schemas.ts";
import type { ListedAddress } from "../registry/types.ts";
import type { Said } from "../storage/transcript.ts";
import type { WaitingFor } from "../storage/waiting-texts.ts";
import { commands } from "./commands.ts";
import type { Output } from "./model.ts";
import { type Report, reportOf } from "./report.ts";
import { sentenceOf } from "./sentences.ts";

export type TalkEvent =
  /** I am registered. */
  | { type: "welcome"; user: UserName; address: Address }
  /**
   * @property at when it came, in ISO 8601
   * @property doubtful set if it did not come from the user's registered address
   */
  | { type: "message"; user: UserName; text: string; at: string; doubtful?: true }
  /** @property address for `left`, the last one */
  | { type: "joined" | "moved" | "left"; user: UserName; address: ListedAddress }
  /** My name points to somebody else's address, and so do messages to me. */
  | { type: "displaced"; address: ListedAddress }
  /** My address changed, because this machine's did. */
  | { type: "address"; address: Address }
  /** The answer to :reach, if positive; `from` is the address the registry connects from. */
  | { type: "reached"; address: Address; from?: string | undefined }
  /** The registry went away or came back. */
  | { type: "registry"; up: boolean }
  /** The outcome of a text of mine, with a `reason` unless delivered. */
  | { type: "delivered"; to: UserName; text: string }
  /** After `waiting`, another of these follows once the user is back. */
  | { type: "unknown" | "failed" | "waiting"; to: UserName; text: string; reason: string }
  /** The answers to commands. */
  | { type: "users"; users: Record<UserName, ListedAddress> }
  | { type: "selected"; user: UserName; address: ListedAddress }
  | { type: "help"; commands: Record<string, string> }
  | { type: "said"; messages: SaidMessage[] }
  /** Waiting texts by user, and since when; also sent at start and end if there are any. */
  | { type: "waits"; users: Record<UserName, { texts: number; since: string }> }
  | { type: "dropped"; texts: number }
  | { type: "warning" | "error"; reason: string };

/** A message from the transcript: from `user`, or mine `to` somebody, with its outcome. */
export type SaidMessage =
  | { user: UserName; text: string; at: string; doubtful?: true }
  | { to: UserName; text: string; at: string; outcome: Report["type"] };

/** The event for an output; undefined if programs get none. @param at the current time */
export function toEvent(output: Output, at = new Date()): TalkEvent | undefined {
  switch (output.type) {
    case "welcome":
      return { type: "welcome", user: output.me, address: output.address };
    case "message":
      return {
        type: "message",
        ...output.message,
        at: at.toISOString(),
        ...(output.doubtful && { doubtful: true }),
      };
    case "sending":
      return undefined;
    // Each text of a broadcast has its own event.
    case "broadcasting":
    case "broadcast":
    case "back":
      return undefined;
    case "said":
      return { type: "said", messages: output.messages.map(toMessage) };
    case "waits":
      return { type: "waits", users: record(totals(output.waiting)) };
    case "dropped":
      return { type: "dropped", texts: output.count };
    case "elsewhere":
      return { type: "warning", reason: sentenceOf(output) };
    case "outcome":
    case "forwarded": {
      const { to, text } = output;
      const report = reportOf(output.outcome);
      if (report.type === "delivered") return { type: "delivered", to, text };
      return { type: report.type, to, text, reason: report.reason };
    }
    case "users":
      return { type: "users", users: record(output.users) };
    case "gone":
      return { ...output, type: "left" };
    case "displaced":
      return { type: "displaced", address: output.address };
    case "help":
      return {
        type: "help",
        commands: record(Object.values(commands).map(({ usage, help }) => [usage, help])),
      };
    case "warning":
      return { type: "warning", reason: output.sentence };
    case "failure":
      return { type: "error", reason: output.sentence };
    case "joined":
    case "moved":
    case "left":
    case "selected":
    case "registry":
    case "address":
    case "reached":
      return output;
  }
}

/** An object with these keys, where `__proto__` is a key like any other. */
function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries(entries);
}

function toMessage({ at, user, mine, outcome, doubtful, text }: Said): SaidMessage {
  const when = new Date(at).toISOString();
  if (!mine) return { user, text, at: when, ...(doubtful && { doubtful: true }) };
  const isPlain = outcome === "delivered" || outcome === "failed" || outcome === "waiting";
  return { to: user, text, at: when, outcome: isPlain ? outcome : "unknown" };
}

/** Grouped by user, in the order of their first texts. */
function totals(waiting: readonly WaitingFor[]): Map<UserName, { texts: number; since: string }> {
  const users = new Map<UserName, { texts: number; since: string }>();
  for (const { user, count, since } of waiting) {
    const before = users.get(user);
    const at = new Date(since).toISOString();
    users.set(user, {
      texts: (before?.texts ?? 0) + count,
      since: before && before.since < at ? before.since : at,
    });
  }
  return users;
}
