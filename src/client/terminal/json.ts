/** Writes each event as one line of JSON, for programs in any language. */
import { jsonLine } from "../../core/sanitize.ts";
import { isRecord } from "../../core/schemas.ts";
import type { Input, TypedLine } from "../session/model.ts";
import { toEvent } from "../session/program-events.ts";
import { createLineScreen, openStandardOutput } from "./stdio.ts";
import type { Screen } from "./types.ts";

export function openJson(): Screen {
  const out = openStandardOutput();
  return createLineScreen(out, (output) => {
    const event = toEvent(output);
    if (event) out.write(`${jsonLine(event)}\n`);
  });
}

/** Parses a program's line: a message such as `{"to":…,"text":…}`, or anything a person would type. */
export function readJsonLine(typed: TypedLine): Input {
  const { text: line } = typed;
  if (!line.startsWith("{")) return typed;
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value) && typeof value.to === "string" && typeof value.text === "string") {
      return { type: "text", to: value.to, text: value.text };
    }
  } catch {
    // Refused below, like JSON of the wrong shape.
  }
  return { type: "refused", reason: 'a line that starts with { must be like {"to":"bob","text":"hi"}' };
}
