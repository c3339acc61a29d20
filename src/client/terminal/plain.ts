/** For screen readers and the plainest terminals: lines are only ever added, and nothing is written but text. */
import { visibleName } from "../../core/sanitize.ts";
import type { Output, Session } from "../session/model.ts";
import { remedyFor, troubleOf } from "../session/sentences.ts";
import { stdinLines, unattended } from "./input/unattended.ts";
import type { Screen, Settings } from "./types.ts";
import { createEntries } from "./view/entries.ts";
import { createFloodLimit } from "./view/flood-limit.ts";
import { openOutput } from "./view/output.ts";
import { createScrollback } from "./view/scrollback.ts";
import { createTheme } from "./view/theme.ts";

/** The width of a terminal that does not tell. */
const COLUMNS = 80;

export function openPlain({ env, clock, now }: Settings): Screen {
  const { stdout } = process;
  // Words, because a reader may pass over marks.
  const entries = createEntries(createTheme({ ...env, NO_COLOR: "1", LC_ALL: "C" }));
  const scrollback = createScrollback(entries, now);
  const { write: print, full, room, hungUp, end } = openOutput(stdout);
  let session: Session | undefined;
  const floodLimit = createFloodLimit(clock, (user, count) => {
    scrollback.add(entries.more(scrollback.time(), user, count));
    write();
  });

  function columns(): number {
    return Math.max(8, stdout.columns || COLUMNS);
  }

  function write(): void {
    for (const { text } of scrollback.drain(columns())) print(`${text.trimEnd()}\n`);
  }

  function show(output: Output): void {
    switch (output.type) {
      case "message": {
        const { user, text } = output.message;
        const entry = entries.message(scrollback.time(), user, text, output.doubtful);
        if (floodLimit.admits(user, entry(columns()).length)) scrollback.add(entry);
        break;
      }
      case "sending":
        break;
      case "outcome":
        // The text stands above already, as it was typed.
        scrollback.add(entries.told(scrollback.time(), outcomeLine(output)));
        break;
      default:
        scrollback.add(entries.notice(scrollback.time(), output, session));
    }
    write();
  }

  return {
    ...unattended,
    lines: () => stdinLines(show),
    show,
    follow(next) {
      session = next;
    },
    full,
    room,
    hungUp,
    async close() {
      floodLimit.flush();
      await end();
    },
  };
}

function outcomeLine({ to, outcome }: Extract<Output, { type: "outcome" }>): string {
  const trouble = troubleOf(to, outcome);
  if (trouble !== undefined) return `! ${trouble}${remedyFor(outcome)}`;
  return `${outcome.type} to ${visibleName(to)}`;
}
