/** What a chat is shown on and typed into, and how its user wants it. */
import type { Clock } from "../../core/clock.ts";
import type { Output, Session } from "../session/model.ts";
import type { Storage } from "../storage/index.ts";

/** When a message rings the bell: never, when its sender is not selected or the window not looked at, or always. */
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
  /** What is typed or piped, line by line, until it ends. */
  lines(): AsyncIterable<string>;
  /** Shows what the user is told. */
  show(output: Output): void;
  /** Takes note of how the chat stands now: who is selected, who is there. */
  follow(session: Session): void;
  /** Resolves when somebody at the keys wants to leave, which comes true once all lines before it are taken. */
  left: Promise<void>;
  /** Whether so much waits to be read that no more messages should be taken. @default never */
  full?(): boolean;
  /** Resolves once there is room for what the next line brings. @default always */
  room?(): Promise<void>;
  /** Resolves when nobody reads our output any more. */
  hungUp: Promise<void>;
  /** Gives the terminal back as it was; nothing is shown any more. */
  release(): void;
  /** Does so too, and resolves once everything shown has been handed over. */
  close(): Promise<void>;
}

export interface ScreenOptions {
  json: boolean;
  /** Lines are only ever added, without escape sequences. */
  plain: boolean;
  bell: Bell;
  storage: Settings["storage"];
}
