/** Records output in the transcript, and answers questions about what is stored. */
import type { StoreAndForward } from "../outbound/store-and-forward.ts";
import type { Output, Question } from "../session/model.ts";
import type { Kept } from "./index.ts";
import type { Transcript } from "./transcript.ts";

/** Most messages that :find and :waiting show. */
const MAX_FOUND = 50;

/** Records messages, texts of mine and their outcomes in the transcript. */
export function record(transcript: Transcript, output: Output): void {
  switch (output.type) {
    case "message":
      transcript.heard(output.message.user, output.message.text, output.doubtful === true);
      break;
    case "sending":
      transcript.sending(output.id, output.to, output.text);
      break;
    case "outcome":
      transcript.settled(output.id, output.outcome.type);
      break;
    case "forwarded":
      transcript.waited(output.to, output.text, output.outcome.type);
  }
}

/** Answers a command about local storage. */
export function answer(
  question: Question,
  { transcript, waiting }: Kept,
  forwarder: StoreAndForward,
): Output[] {
  switch (question.type) {
    case "last": {
      const { user, count } = question;
      const messages = transcript.last(user, count);
      const who = user === undefined ? "" : ` with ${user}`;
      const title = messages.length === 0 ? `nothing is kept${who}` : `the last ${messages.length}${who}`;
      return [{ type: "said", title, messages }];
    }
    case "find": {
      const found = transcript.find(question.word, MAX_FOUND + 1);
      const messages = found.slice(-MAX_FOUND);
      if (messages.length === 0) return [{ type: "said", title: "nothing was found", messages }];
      const some = found.length > MAX_FOUND ? `only the last ${MAX_FOUND}` : `${found.length}`;
      return [{ type: "said", title: `${some} found`, messages }];
    }
    case "waiting":
      return [
        {
          type: "waits",
          waiting: forwarder.summary(),
          kept: waiting.isKept(),
          texts: waiting
            .oldest(MAX_FOUND)
            .map((text) => ({ ...text, mine: true, outcome: "waiting", doubtful: false })),
        },
      ];
    case "drop": {
      const { user } = question;
      // The transcript first: after a crash in between, it may report a drop that did not happen, but misses none.
      transcript.dropped(user);
      const count = forwarder.drop(user);
      return [{ type: "dropped", user, count }];
    }
    case "again": {
      const { user, others } = question;
      const { count, listed } = forwarder.again(user);
      if (count + others === 0)
        return [{ type: "failure", sentence: `there is nothing to send again to ${user}` }];
      if (count === 0 || listed) return [];
      return [{ type: "failure", sentence: `${user} is not here; what you wrote waits on` }];
    }
  }
}

/** Whom texts wait for, shown at start and end; empty if nobody. */
export function whatWaits({ waiting }: Kept, forwarder: StoreAndForward): Output[] {
  const summary = forwarder.summary();
  return summary.length === 0 ? [] : [{ type: "waits", waiting: summary, kept: waiting.isKept() }];
}
