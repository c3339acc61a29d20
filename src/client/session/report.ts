import type { Outcome } from "../transports/types.ts";

/** The outcome of a text, for programs; `unknown` means sent, but it may not have arrived. */
export type Report =
  | { type: "delivered" }
  | { type: "unknown"; reason: string }
  | { type: "failed"; reason: string }
  /** The user is away; another report follows once it is back. */
  | { type: "waiting"; reason: string };

/** The report of an outcome; `sent` becomes `unknown`. */
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
