import type { Outcome } from "../transports/types.ts";

/** What became of a text, for programs: `unknown` is sent, but nobody can tell whether it arrived. */
export type Report =
  | { type: "delivered" }
  | { type: "unknown"; reason: string }
  | { type: "failed"; reason: string }
  /** Its user is away; another report follows when it is back. */
  | { type: "waiting"; reason: string };

/** What programs are told of an outcome; `sent` is `unknown` to them. */
export function reportOf(outcome: Outcome): Report {
  switch (outcome.type) {
    case "delivered":
      return { type: "delivered" };
    case "sent":
      return { type: "unknown", reason: "sent; its protocol does not tell whether it arrived" };
    case "unanswered":
      return { type: "unknown", reason: `no answer in ${outcome.seconds} s; it may have arrived` };
    case "broken":
      return { type: "unknown", reason: "the connection broke before an answer; it may have arrived" };
    case "failed":
    case "waiting":
      return { type: outcome.type, reason: outcome.reason };
  }
}
