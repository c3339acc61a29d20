/** Lays out recalled messages. */
import type { Output } from "../../session/model.ts";
import { dateTime, waitsOf } from "../../session/sentences.ts";
import type { Said } from "../../storage/transcript.ts";
import type { Entries, Entry } from "./entries.ts";

/** @param today the date as displayed, so that only older messages show theirs */
export function layoutKept(
  output: Extract<Output, { type: "said" | "waits" }>,
  entries: Entries,
  today: string,
): Entry[] {
  function recalled(said: Said): Entry {
    const [day = "", time = ""] = dateTime(said.at).split(" ");
    return entries.recalled(day === today ? time : `${day} ${time}`, said);
  }

  if (output.type === "waits")
    return [...waitsOf(output).map(entries.heading), ...(output.texts ?? []).map(recalled)];
  const { title, messages } = output;
  if (messages.length === 0) return [entries.heading(title)];
  const shown = messages.map(recalled);
  return [entries.heading(title), ...shown, entries.heading("now")];
}
