import { formatAddress } from "../core/address.ts";
import { visible } from "../core/visible.ts";
import { commands } from "./commands.ts";
import type { Output } from "./session.ts";
import type { Outcome } from "./transports/index.ts";

/** A text for people, of one line or several, and the stream it belongs on. */
export interface Rendered {
  stream: "stdout" | "stderr";
  text: string;
}

/** What the user is told, as lines, if it is worth any in a pipe. Everything foreign in it is made visible here. */
export function render(output: Output): Rendered | undefined {
  switch (output.type) {
    case "welcome": {
      const { me, address, port, portInUse } = output;
      const instead =
        portInUse === undefined ? "" : `; port ${portInUse} is in use, so you listen on ${port}`;
      return stdout(`you are ${me} at ${formatAddress(address)}${instead}; :help lists the commands`);
    }
    case "message":
      return stdout(`${visible(output.message.user)}: ${visible(output.message.text)}`);
    case "sending":
      return undefined;
    case "fate": {
      const trouble = troubleOf(output.to, output.outcome);
      return trouble === undefined ? undefined : stderr(trouble);
    }
    case "users":
      return stdout(
        [...output.users]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([user, address]) => {
            const you = user === output.me ? "  (you)" : "";
            return `${visible(user)}  ${visible(formatAddress(address))}${you}`;
          })
          .join("\n"),
      );
    case "selected":
      return stdout(
        `your messages go to ${visible(output.user)} at ${visible(formatAddress(output.address))}`,
      );
    case "gone":
      return stdout(`${visible(output.user)} left; nobody is selected`);
    case "joined":
    case "left":
    case "moved":
      return stdout(`${visible(output.user)} ${output.type}`);
    case "displaced": {
      const address = visible(formatAddress(output.address));
      return stdout(`warning: ${output.me} is registered at ${address} now, so messages to you go there`);
    }
    case "registry":
      if (output.up) return stdout("the registry is back");
      return stdout("the registry does not answer; the chat goes on with the known list");
    case "warning":
      return stdout(`warning: ${visible(output.sentence)}`);
    case "help":
      return stdout(
        Object.values(commands)
          .map(({ usage, help }) => `${usage.padEnd(14)}${help}`)
          .join("\n"),
      );
    case "failure":
      return stderr(output.sentence);
  }
}

function stdout(text: string): Rendered {
  return { stream: "stdout", text };
}

function stderr(sentence: string): Rendered {
  return { stream: "stderr", text: `error: ${visible(sentence)}` };
}

/** Why a text to a user may not have arrived; undefined if it did, or if it is sent and more cannot be known. */
function troubleOf(to: string, outcome: Outcome): string | undefined {
  switch (outcome.type) {
    case "delivered":
    case "sent":
      return undefined;
    case "unanswered":
      return `no answer from ${to} in ${outcome.seconds} s; it may have arrived`;
    case "broken":
      return `the connection to ${to} broke before an answer; it may have arrived`;
    case "failed":
      return `not delivered to ${to}: ${outcome.reason}`;
  }
}
