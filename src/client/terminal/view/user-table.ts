/** The user list as a table. */
import { urlHost } from "../../../core/address.ts";
import { visible, visibleName } from "../../../core/sanitize.ts";
import type { Output, Session } from "../../session/model.ts";
import type { Theme } from "./theme.ts";
import { type Row, type Span, wrap } from "./wrap.ts";

/** Greatest width of a table column, in terminal columns; longer cells overflow. */
const MAX_COLUMN = 32;

/** Lays out the users, sorted by name: a mark for the selected one, name, protocol, address, notes. */
export function layoutUserTable(
  { users, me }: Extract<Output, { type: "users" }>,
  session: Session | undefined,
  theme: Theme,
): (columns: number) => Row[] {
  const { marks, dim } = theme;
  const lines = [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([user, { protocol, host, port }]) => {
      const unread = session?.inbox.unread.get(user);
      const selected = user === session?.selected;
      const notes = [
        user === me && "(you)",
        selected && "(selected)",
        unread !== undefined && `(${unread} unread)`,
      ];
      return {
        mark: selected ? `${marks.selected} ` : "  ",
        cells: [visibleName(user), visible(protocol), visible(`${urlHost(host)}:${port}`)],
        notes: notes.filter(Boolean).join(" "),
        style: theme.user(user),
      };
    });
  const widths = [0, 1, 2].map((i) => Math.max(0, ...lines.map(({ cells }) => widthOf(cells[i] ?? ""))));

  return (columns) => {
    const total =
      2 +
      widths.reduce((sum, width) => sum + width + 2, 0) +
      Math.max(0, ...lines.map(({ notes }) => notes.length));
    const aligned = total <= columns;
    return lines.flatMap(({ mark, cells, notes, style }) => {
      const [name = "", protocol = "", address = ""] = cells.map((cell, i) =>
        aligned ? pad(cell, Math.min(widths[i] ?? 0, MAX_COLUMN)) : cell,
      );
      const spans: Span[] = [
        { text: mark },
        { text: name, style },
        { text: `  ${protocol}  ${address}`, style: dim },
        { text: notes && `  ${notes}` },
      ];
      return wrap(spans, columns, 4);
    });
  };
}

function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}
