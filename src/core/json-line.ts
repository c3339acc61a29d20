import { UNSAFE_CHARACTER } from "./sanitize.ts";

const UNSAFE = new RegExp(UNSAFE_CHARACTER, "gu");

/** A value as one line of JSON (RFC 8259) that no terminal obeys: what could command or deceive one is escaped. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
