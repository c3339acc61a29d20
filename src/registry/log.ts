/** The registry's log: one line per event. */
import { formatAddress } from "../core/address.ts";
import { visible } from "../core/sanitize.ts";
import type { Address, UserName } from "../core/schemas.ts";
import type { Finding } from "./health/types.ts";

export type LogEvent =
  /** The store is open; `path` is its file. */
  | { type: "opened"; path: string }
  | { type: "registered" | "updated"; user: UserName; address: Address }
  | { type: "left"; user: UserName }
  | { type: "removed"; user: UserName; finding: Finding; silentMs: number }
  /** Failed its check along with most others: our own network may be at fault. */
  | { type: "suspect"; user: UserName; finding: Finding }
  /** We took over checking from another registry on the store. */
  | { type: "taken-over" }
  | { type: "round"; users: number; failed: number; ms: number }
  /** The store holds an entry that is no user, and is ignored. */
  | { type: "unreadable"; user: string }
  /** The store started to fail, or fails for a new reason. */
  | { type: "trouble"; reason: string }
  | { type: "trouble-over"; ms: number };

export type Log = (event: LogEvent) => void;

/** How long events are batched, in milliseconds: a write per line would slow every request. */
const GATHER_MS = 50;

/** Writes events as lines. @param write receives whole lines */
export function createLog(write: (text: string) => void): { log: Log; flush: () => void } {
  let gathered: { at: number; event: LogEvent }[] = [];
  const timestamp = createTimestamp();

  function line({ at, event }: { at: number; event: LogEvent }): string {
    return `${timestamp(at)} ${visible(describe(event))}\n`;
  }

  function flush() {
    if (gathered.length > 0) write(gathered.map(line).join(""));
    gathered = [];
  }

  return {
    log(event) {
      if (gathered.length === 0) setTimeout(flush, GATHER_MS);
      gathered.push({ at: Date.now(), event });
    },
    flush,
  };
}

/** Formats times, once per millisecond: it costs as much as the rest of a line. */
function createTimestamp(): (at: number) => string {
  let [last, text] = [Number.NaN, ""];
  return (at) => {
    if (at !== last) [last, text] = [at, new Date(at).toISOString()];
    return text;
  };
}

function describe(event: LogEvent): string {
  switch (event.type) {
    case "registered":
    case "updated":
      return `${event.type} ${event.user} at ${formatAddress(event.address)}`;
    case "opened":
      return `keeping users in ${event.path}`;
    case "left":
      return `removed ${event.user}, who left`;
    case "removed":
      return `removed ${event.user}, who ${because(event.finding)}; last seen ${seconds(event.silentMs)} ago`;
    case "suspect":
      return `${event.user} ${because(event.finding)}, like most others; keeping it until its next check`;
    case "taken-over":
      return "took over checking users from another registry";
    case "round":
      return `checked ${event.users} ${event.users === 1 ? "user" : "users"} in ${seconds(event.ms)}; ${event.failed} failed`;
    case "unreadable":
      return `ignoring ${event.user} in the store, which no registry has written`;
    case "trouble":
      return `trouble with the store: ${event.reason}`;
    case "trouble-over":
      return `the store works again after ${seconds(event.ms)}`;
  }
}

function because(finding: Finding): string {
  if (finding === "denied") return "has an address that Talk never contacts";
  return finding === "refused" ? "refuses connections" : "did not answer";
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
