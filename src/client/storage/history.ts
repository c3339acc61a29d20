/** History of typed lines, kept across runs in a file that several clients share. */
import type { LocalStore } from "./local-store.ts";

/** Most lines kept. */
const MAX_LINES = 1000;

/** Longest line kept, in characters: nobody recalls a pasted log. */
const MAX_LENGTH = 4000;

export interface History {
  /** Oldest first, without duplicates. */
  lines(): readonly string[];
  /** Adds a line, unless it is blank or too long. */
  add(line: string): void;
}

export function createHistory(store: LocalStore): History {
  /** Loaded on first use. */
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
      // Reload next time: another client may have added lines.
      lines = undefined;
    },
  };
}
