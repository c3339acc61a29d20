/** The screen of a chat, and its settings. */
import type { Clock } from "../../core/clock.ts";
import type { Output, Session, TypedLine } from "../session/model.ts";
import type { Storage } from "../storage/index.ts";

/** When a message rings the bell: never, if its sender is not selected or the window has no focus, or always. */
export type Bell = "off" | "unselected" | "all";

export interface Settings {
  bell: Bell;
  env: Record<string, string | undefined>;
  clock: Clock;
  /** The time of day. */
  now: () => Date;
  storage: Pick<Storage, "history" | "commit">;
}

export interface Screen {
  /** Set if somebody looks at it, for whom a transcript is kept. */
  isPersonal?: true;
  /** Set if a prompt shows who is selected. */
  hasPrompt?: true;
  /** Typed or piped lines, until the input ends. */
  lines(): AsyncIterable<TypedLine>;
  /** Shows what the user is told. */
  show(output: Output): void;
  /** Learns the current session: who is selected, who is there. */
  follow(session: Session): void;
  /** Resolves when a key asks to leave; lines typed before are still handled. */
  left: Promise<void>;
  /** Whether so much output waits to be read that no more messages should be taken. @default never */
  full?(): boolean;
  /** Resolves once there is room for the output of the next line. @default always */
  room?(): Promise<void>;
  /** Resolves when nobody reads our output any more. */
  hungUp: Promise<void>;
  /** Restores the terminal; nothing is shown after that. */
  release(): void;
  /** Restores it too, and resolves once everything shown has been handed over. */
  close(): Promise<void>;
}

export interface ScreenOptions {
  json: boolean;
  /** Lines are only ever appended, without escape sequences. */
  plain: boolean;
  bell: Bell;
  storage: Settings["storage"];
}
