/** Output for scripts: plain lines, with no prompt, colour or redrawing. */
import { formatAddress } from "../../core/address.ts";
import { visible, visibleName, visibleText } from "../../core/sanitize.ts";
import { commands } from "../session/commands.ts";
import type { Output } from "../session/model.ts";
import { failuresOf, lineOf, resultOf, sentenceOf, troubleOf, waitsOf } from "../session/sentences.ts";
import { createLineScreen, openStandardOutput } from "./stdio.ts";
import type { Screen } from "./types.ts";

export function openPiped(): Screen {
  const out = openStandardOutput();
  return createLineScreen(out, (output) => {
    const rendered = render(output);
    if (rendered) out.write(`${rendered.text}\n`, rendered.stream);
    const failures = output.type === "broadcast" ? failuresOf(output.outcomes) : "";
    if (failures !== "") out.write(`error: not delivered to ${failures}\n`, "stderr");
  });
}

/** One or more lines, and the stream they go to. */
interface Rendered {
  stream: "stdout" | "stderr";
  text: string;
}

/** Returns undefined for output that is not written to a pipe. Control characters from outside are escaped. */
function render(output: Output): Rendered | undefined {
  switch (output.type) {
    case "message":
      return stdout(
        `${visibleName(output.message.user)}${output.doubtful ? "?" : ""}: ${visibleText(output.message.text)}`,
      );
    case "sending":
    case "broadcasting":
      return undefined;
    case "broadcast":
      return stdout(resultOf(output.outcomes));
    case "said":
      return stdout([output.title, ...output.messages.map(lineOf)].join("\n"));
    case "waits":
      return stdout([...waitsOf(output), ...(output.texts ?? []).map(lineOf)].join("\n"));
    case "outcome":
    case "forwarded": {
      if (output.type === "outcome" && output.grouped) return undefined;
      const trouble = troubleOf(output.to, output.outcome);
      return trouble === undefined ? undefined : stderr(trouble);
    }
    case "users":
      return stdout(
        [...output.users]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([user, address]) => {
            const you = user === output.me ? "  (you)" : "";
            return `${visibleName(user)}  ${visible(formatAddress(address))}${you}`;
          })
          .join("\n"),
      );
    case "help": {
      const lines = Object.values(commands);
      const width = Math.max(...lines.map(({ usage }) => usage.length)) + 2;
      return stdout(lines.map(({ usage, help }) => `${usage.padEnd(width)}${help}`).join("\n"));
    }
    case "displaced":
    case "elsewhere":
    case "warning":
      return stdout(`warning: ${sentenceOf(output)}`);
    case "failure":
      return stderr(sentenceOf(output));
    default:
      return stdout(sentenceOf(output));
  }
}

function stdout(text: string): Rendered {
  return { stream: "stdout", text };
}

function stderr(sentence: string): Rendered {
  return { stream: "stderr", text: `error: ${sentence}` };
}
