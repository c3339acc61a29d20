/** What a chat is shown on and typed into. */
import { systemClock } from "../../core/clock.ts";
import type { Output, Session } from "../session/model.ts";
import type { Bell } from "./types.ts";

export interface Screen {
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
}

/** Lines of JSON if they are asked for, else the terminal if there is one at both ends, else the pipes. */
export async function openScreen({ json, plain, bell }: ScreenOptions): Promise<Screen> {
  if (json) return (await import("./json.ts")).openJson();
  const { env, stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return (await import("./piped.ts")).openPiped();
  const settings = { bell, env, clock: systemClock, now: () => new Date() };
  if (plain || env.TERM === "dumb") return (await import("./plain.ts")).openPlain(settings);
  return (await import("./interactive.ts")).openInteractive(settings);
}
