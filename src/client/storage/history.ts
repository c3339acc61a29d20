/** What was typed before, kept across starts in the file that several clients share. */
import type { LocalStore } from "./local-store.ts";

/** Most lines that are kept. */
const MAX_LINES = 1000;

/** Most characters of a line that is kept: a pasted log is no line to come back to. */
const MAX_LENGTH = 4000;

export interface History {
  /** From the oldest to the newest, none twice. */
  lines(): readonly string[];
  /** Takes in a line, unless it is blank. */
  add(line: string): void;
}

export function createHistory(store: LocalStore): History {
  /** Read when somebody goes back to them for the first time. */
  let lines: string[] | undefined;

  function load(): string[] {
    const rows = store.read((database) =>
      database
        .query<{ line: string }, { most: number }>("SELECT line FROM history ORDER BY id DESC LIMIT $most")
        .all({ most: MAX_LINES }),
    );
    return (rows ?? []).map(({ line }) => line).reverse();
  }

  return {
    lines: () => (lines ??= load()),
    add(line) {
      if (line.trim() === "" || line.length > MAX_LENGTH) return;
      store.defer((database) => {
        database.query("INSERT OR REPLACE INTO history (line) VALUES ($line)").run({ line });
        database
          .query(
            "DELETE FROM history WHERE id <= (SELECT id FROM history ORDER BY id DESC LIMIT 1 OFFSET $most)",
          )
          .run({ most: MAX_LINES });
      });
      store.commit();
      // Another client may have written since: its lines come, too.
      lines = undefined;
    },
  };
}
