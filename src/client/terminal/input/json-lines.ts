import { isRecord } from "../../../core/schemas.ts";
import type { Msg } from "../../session/model.ts";

/** A line as programs write it: a text to somebody as `{"to":…,"text":…}`, or what people type. */
export function readJsonLine(line: string): Msg {
  if (!line.startsWith("{")) return { type: "line", text: line };
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value) && typeof value.to === "string" && typeof value.text === "string") {
      return { type: "text", to: value.to, text: value.text };
    }
  } catch {
    // Told as what has the wrong form.
  }
  return { type: "refused", reason: 'a line that starts with { must be like {"to":"bob","text":"hi"}' };
}
