/** For screen readers and dumb terminals: only appends lines, and writes nothing but text. */
import { visibleName } from "../../core/sanitize.ts";
import type { Output, Session } from "../session/model.ts";
import { remedyFor, resultOf, troubleOf } from "../session/sentences.ts";
import { createLineScreen, openStandardOutput } from "./stdio.ts";
import type { Screen, Settings } from "./types.ts";
import { createEntries } from "./view/entries.ts";
import { createFloodLimit } from "./view/flood-limit.ts";
import { layoutKept } from "./view/recalled.ts";
import { createScrollback } from "./view/scrollback.ts";
import { createTheme } from "./view/theme.ts";

/** How long to wait before retrying to store lines, which are shown only once stored, in milliseconds. */
const RETRY_MS = 50;

/** Columns assumed if the terminal does not report its size. */
const COLUMNS = 80;

export function openPlain({ env, clock, now, storage }: Settings): Screen {
  const { stdout } = process;
  // Words instead of symbols, which a screen reader may skip.
  const entries = createEntries(createTheme({ ...env, NO_COLOR: "1", LC_ALL: "C" }));
  const scrollback = createScrollback(entries, now);
  const out = openStandardOutput();
  let session: Session | undefined;
  let cancelWrite = () => {};
  const floodLimit = createFloodLimit(clock, (user, count) => {
    scrollback.add(entries.more(scrollback.time(), user, count));
    write();
  });

  function columns(): number {
    return Math.max(8, stdout.columns || COLUMNS);
  }

  function write(isLast = false): void {
    // Store first, so that anything shown survives a crash.
    cancelWrite();
    if (!storage.commit() && !isLast) {
      cancelWrite = clock.after(RETRY_MS, () => write());
      return;
    }
    for (const { text } of scrollback.drain(columns())) out.write(`${text.trimEnd()}\n`);
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
      case "broadcasting":
        break;
      case "broadcast":
        scrollback.add(entries.told(scrollback.time(), resultOf(output.outcomes)));
        break;
      case "said":
      case "waits":
        for (const entry of layoutKept(output, entries, scrollback.day())) scrollback.add(entry);
        break;
      case "outcome":
      case "forwarded":
        // A broadcast reports its outcomes together.
        if (output.type === "outcome" ? output.grouped : troubleOf(output.to, output.outcome) === undefined)
          break;
        // The text is already on screen, where it was typed.
        scrollback.add(entries.told(scrollback.time(), outcomeLine(output)));
        break;
      default:
        scrollback.add(entries.notice(scrollback.time(), output, session));
    }
    write();
  }

  return {
    ...createLineScreen(out, show),
    isPersonal: true,
    follow(next) {
      session = next;
    },
    async close() {
      floodLimit.flush();
      write(true);
      await out.end();
    },
  };
}

function outcomeLine({ to, outcome }: Extract<Output, { type: "outcome" | "forwarded" }>): string {
  const trouble = troubleOf(to, outcome);
  if (trouble !== undefined) return `! ${trouble}${remedyFor(outcome)}`;
  return `${outcome.type} to ${visibleName(to)}`;
}
