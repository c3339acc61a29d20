/** What a chat is shown on and typed into. */
import type { Output, Session } from "../session.ts";

export interface Screen {
  /** What is typed or piped, line by line, until it ends. */
  lines(): AsyncIterable<string>;
  /** Shows what the user is told. */
  show(output: Output): void;
  /** Takes note of how the chat stands now: who is selected, who is there. */
  follow(session: Session): void;
  /** Resolves when nobody reads our output any more. */
  hungUp: Promise<void>;
  /** Resolves once everything shown has been handed over; the terminal is then as it was. */
  close(): Promise<void>;
}

/** Lines of JSON if they are asked for, else the terminal if there is one at both ends, else the pipes. */
export async function openScreen({ json = false } = {}): Promise<Screen> {
  if (json) return (await import("./json.ts")).openJson();
  if (process.stdin.isTTY && process.stdout.isTTY) {
    return (await import("./interactive.ts")).openInteractive();
  }
  return (await import("./piped.ts")).openPiped();
}
