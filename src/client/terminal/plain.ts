/** For screen readers and the plainest terminals: lines are only ever added, and nothing is written but text. */
import { visibleName } from "../../core/sanitize.ts";
import type { Output, Session } from "../session/model.ts";
import { remedyFor, troubleOf } from "../session/sentences.ts";
import { stdinLines, unattended } from "./input/unattended.ts";
import type { Screen, Settings } from "./types.ts";
import { createEntries } from "./view/entries.ts";
import { createThrottle } from "./view/flood-limit.ts";
import { countedOutput } from "./view/output.ts";
import { createLog } from "./view/scrollback.ts";
import { createTheme } from "./view/theme.ts";

/** The width of a terminal that does not tell. */
const COLUMNS = 80;

export function openPlain({ env, clock, now }: Settings): Screen {
  const { stdout } = process;
  // Words, because a reader may pass over marks.
  const entries = createEntries(createTheme({ ...env, NO_COLOR: "1", LC_ALL: "C" }));
  const log = createLog(entries, now);
  const { write: print, full, room, hungUp, end } = countedOutput(stdout);
  let session: Session | undefined;
  const throttle = createThrottle(clock, (user, count) => {
    log.add(entries.more(log.time(), user, count));
    write();
  });

  function columns(): number {
    return Math.max(8, stdout.columns || COLUMNS);
  }

  function write(): void {
    for (const { text } of log.take(columns())) print(`${text.trimEnd()}\n`);
  }

  function show(output: Output): void {
    switch (output.type) {
      case "message": {
        const { user, text } = output.message;
        const entry = entries.message(log.time(), user, text, output.doubtful);
        if (throttle.admits(user, entry(columns()).length)) log.add(entry);
        break;
      }
      case "sending":
        break;
      case "outcome":
        // The text stands above already, as it was typed.
        log.add(entries.told(log.time(), outcomeOf(output)));
        break;
      default:
        log.add(entries.notice(log.time(), output, session));
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
      throttle.flush();
      await end();
    },
  };
}

function outcomeOf({ to, outcome }: Extract<Output, { type: "outcome" }>): string {
  const trouble = troubleOf(to, outcome);
  if (trouble !== undefined) return `! ${trouble}${remedyFor(outcome)}`;
  return `${outcome.type} to ${visibleName(to)}`;
}
