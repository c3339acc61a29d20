/** A chat's screen and its settings. */
import type { Clock } from "../../core/clock.ts";
import type { Output, Session, TypedLine } from "../session/model.ts";
import type { Storage } from "../storage/index.ts";

/** When a message rings the bell: never; if its sender is not selected or the window has no focus; always. */
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
  /** Set if a person is watching, so a transcript is kept. */
  isPersonal?: true;
  /** Set if a prompt shows the selected user. */
  hasPrompt?: true;
  /** Typed or piped lines, until the input ends. */
  lines(): AsyncIterable<TypedLine>;
  /** Shows what the user is told. */
  show(output: Output): void;
  /** Follows the session, for the selected user and the list. */
  follow(session: Session): void;
  /** Resolves when a key asks to leave; lines typed before it are still handled. */
  left: Promise<void>;
  /** Whether so much output is unread that senders should wait. @default never */
  full?(): boolean;
  /** Resolves once there is room for the next line's output. @default at once */
  room?(): Promise<void>;
  /** Resolves once our output's reader has gone. */
  hungUp: Promise<void>;
  /** Restores the terminal; nothing is shown after that. */
  release(): void;
  /** Also restores it; resolves once all output is written. */
  close(): Promise<void>;
}

export interface ScreenOptions {
  json: boolean;
  /** Only appends lines, without escape sequences. */
  plain: boolean;
  bell: Bell;
  storage: Settings["storage"];
}
