/** What the user is told besides messages, in a sentence each. Everything foreign in it is made visible here. */
import { formatAddress } from "../../core/address.ts";
import { visible, visibleName } from "../../core/sanitize.ts";
import type { Outcome } from "../transports/types.ts";
import type { Output } from "./model.ts";

export type Notice = Exclude<Output, { type: "message" | "sending" | "outcome" | "users" | "help" }>;

/** A notice as a sentence without time or style. */
export function sentenceOf(notice: Notice): string {
  switch (notice.type) {
    case "welcome": {
      const { me, address, port, portInUse } = notice;
      const instead =
        portInUse === undefined ? "" : `; port ${portInUse} is in use, so you listen on ${port}`;
      return `you are ${me} at ${formatAddress(address)}${instead}; :help lists the commands`;
    }
    case "selected":
      return `your messages go to ${visibleName(notice.user)} at ${visible(formatAddress(notice.address))}`;
    case "gone":
      return `${visibleName(notice.user)} left; nobody is selected`;
    case "joined":
    case "left":
    case "moved":
      return `${visibleName(notice.user)} ${notice.type}`;
    case "displaced": {
      const address = visible(formatAddress(notice.address));
      return `${notice.me} is registered at ${address} now, so messages to you go there`;
    }
    case "address":
      return `you are at ${formatAddress(notice.address)} now, and the registry knows`;
    case "reached": {
      const from = notice.from === undefined ? "" : ` from ${visible(notice.from)}`;
      return `the registry reaches you at ${formatAddress(notice.address)}${from}`;
    }
    case "registry":
      if (notice.up) return "the registry is back";
      return "the registry does not answer; the chat goes on with the known list";
    case "failure":
    case "warning":
      return visible(notice.sentence);
  }
}

/** A sentence as the start of a longer one: without its full stop. */
export function clause(sentence: string): string {
  return sentence.replace(/[.\s]+$/, "");
}

/** What to do about a text that failed, if there is anything: what is permanent is not sent again. */
export function remedyFor(outcome: Outcome): string {
  return outcome.type === "failed" && !outcome.permanent ? "; :again sends it again" : "";
}

/** Why a text to a user may not have arrived; undefined if it did, or if it is sent and more cannot be known. */
export function troubleOf(to: string, outcome: Outcome): string | undefined {
  const user = visibleName(to);
  switch (outcome.type) {
    case "delivered":
    case "sent":
      return undefined;
    case "unanswered":
      return `no answer from ${user} in ${outcome.seconds} s; it may have arrived`;
    case "broken":
      return `the connection to ${user} broke before an answer; it may have arrived`;
    case "failed":
      return `not delivered to ${user}: ${visible(outcome.permanent ? outcome.reason : clause(outcome.reason))}`;
  }
}
