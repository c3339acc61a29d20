import { systemClock } from "../../core/clock.ts";
import { isTerminal } from "./is-terminal.ts";
import type { Screen, ScreenOptions } from "./types.ts";

/** JSON if asked for; interactive if stdin and stdout are both terminals; else plain lines for pipes. */
export async function openScreen({ json, plain, bell, storage }: ScreenOptions): Promise<Screen> {
  if (json) return (await import("./json.ts")).openJson();
  if (!(await isTerminal("stdin", "stdout"))) return (await import("./piped.ts")).openPiped();
  const { env } = process;
  const settings = { bell, env, clock: systemClock, now: () => new Date(), storage };
  if (plain || env.TERM === "dumb") return (await import("./plain.ts")).openPlain(settings);
  return (await import("./interactive.ts")).openInteractive(settings);
}
