/** Entries of the chat, which can be laid out again when the terminal's width changes. */
import { visibleName, visibleText } from "../../../core/sanitize.ts";
import { commands } from "../../session/commands.ts";
import type { Output, Session } from "../../session/model.ts";
import { type Notice, remedyFor, sentenceOf, troubleOf } from "../../session/sentences.ts";
import type { Said } from "../../storage/transcript.ts";
import type { Outcome } from "../../transports/types.ts";
import { KEYS_HELP } from "../input/editor.ts";
import type { Theme } from "./theme.ts";
import { layoutUserTable } from "./user-table.ts";
import { type Row, type Span, wrap } from "./wrap.ts";

/** Lays out an entry for a width in columns. */
export type Entry = (columns: number) => Row[];

/** Most rows of one message: people write fewer, and a message may hold 64,000 line breaks. */
const MAX_ROWS = 100;

/** Below this many columns, continuation rows are indented by only two. */
const NARROW = 40;

/** A text I sent, and its outcome, once known. */
export interface SentText {
  at: string;
  to: string;
  /** The number of recipients, if several. */
  users?: number;
  text: string;
  outcome: Outcome | undefined;
}

export interface Entries {
  /** @param doubtful whether somebody else may have sent it */
  message(at: string, user: string, text: string, doubtful?: boolean): Entry;
  sent(sentText: SentText): Entry;
  /** A text of mine to several users, with a summary of the outcomes. */
  broadcast(at: string, users: number, text: string, result: string): Entry;
  /** A message from the transcript. @param at the time as displayed */
  recalled(at: string, said: Said): Entry;
  /** A heading above or below recalled messages. */
  heading(title: string): Entry;
  /** A notice, the user list or the help. @param session for the selected user and unread counts */
  notice(
    at: string,
    output: Notice | Extract<Output, { type: "users" | "help" }>,
    session: Session | undefined,
  ): Entry;
  /** A sentence after a timestamp. */
  told(at: string, sentence: string): Entry;
  /** Says that `count` messages of a user, or of several, were not drawn. */
  more(at: string, user: string | undefined, count: number): Entry;
  day(date: string): Entry;
}

export function createEntries(theme: Theme): Entries {
  const { dim, bold, alarm, good, marks } = theme;

  function stamped(at: string, spans: Span[]): Entry {
    return (columns) => wrap([{ text: `${at} `, style: dim }, ...spans], columns, indentOf(columns));
  }

  /** Text after a header; each line is a paragraph, and all but the first are indented. */
  function said(at: string, head: Span[], text: string, tail: Span[]): Entry {
    const paragraphs = text.split(/\r\n|\n/).map(visibleText);
    return (columns) => {
      const indent = indentOf(columns);
      const rows: Row[] = [];
      for (const [i, paragraph] of paragraphs.entries()) {
        const start = i === 0 ? [{ text: `${at} `, style: dim }, ...head] : [{ text: " ".repeat(indent) }];
        const end = i === paragraphs.length - 1 ? tail : [];
        rows.push(...wrap([...start, { text: paragraph }, ...end], columns, indent));
        if (rows.length > MAX_ROWS) break;
      }
      if (rows.length <= MAX_ROWS) return rows;
      const rest = `${" ".repeat(indent)}${marks.cut} and more, which is too long to show`;
      return [
        ...rows.slice(0, MAX_ROWS),
        ...wrap([{ text: rest, style: dim }], columns, indent),
        ...(tail.length > 0 ? wrap([{ text: " ".repeat(indent) }, ...tail], columns, indent) : []),
      ];
    };
  }

  function outcomeSpans({ to, outcome }: SentText): Span[] {
    if (!outcome) return [{ text: ` ${marks.cut}`, style: dim }];
    switch (outcome.type) {
      case "delivered":
        return [{ text: ` ${marks.delivered}`, style: good }];
      case "sent":
        return [{ text: ` ${marks.sent}`, style: dim }];
      case "unanswered":
      case "broken":
        return [{ text: ` ${marks.unknown} ${troubleOf(to, outcome)}`, style: alarm }];
      case "failed":
        return [{ text: ` ${marks.failed} ${troubleOf(to, outcome)}${remedyFor(outcome)}`, style: alarm }];
      case "waiting":
        return [{ text: ` ${marks.cut} ${troubleOf(to, outcome)}`, style: dim }];
    }
  }

  function fromSomebody(user: string, doubtful: boolean): Span[] {
    const doubt = doubtful ? [{ text: "?", style: alarm }] : [];
    return [{ text: visibleName(user), style: theme.user(user) }, ...doubt, { text: ": " }];
  }

  function toSomebody({ to, users }: { to: string; users?: number }): Span[] {
    const name =
      users === undefined
        ? { text: visibleName(to), style: theme.user(to) }
        : { text: `${users} users`, style: bold };
    return [{ text: "to ", style: dim }, name, { text: ": " }];
  }

  /** The outcome of a text of mine, as a mark. */
  function mark(outcome: Outcome["type"] | undefined): Span {
    switch (outcome) {
      case "delivered":
        return { text: ` ${marks.delivered}`, style: good };
      case "sent":
        return { text: ` ${marks.sent}`, style: dim };
      case "failed":
        return { text: ` ${marks.failed}`, style: alarm };
      case "waiting":
        return { text: ` ${marks.cut}`, style: dim };
      case "unanswered":
      case "broken":
      case undefined:
        return { text: ` ${marks.unknown}`, style: alarm };
    }
  }

  return {
    message: (at, user, text, doubtful = false) => said(at, fromSomebody(user, doubtful), text, []),
    sent: (sentText) => said(sentText.at, toSomebody(sentText), sentText.text, outcomeSpans(sentText)),
    broadcast: (at, users, text, result) =>
      said(at, toSomebody({ to: "", users }), text, [{ text: ` (${result})`, style: dim }]),
    recalled: (at, { user, mine, outcome, doubtful, text }) =>
      mine
        ? said(at, toSomebody({ to: user }), text, [mark(outcome)])
        : said(at, fromSomebody(user, doubtful), text, []),
    heading: (title) => (columns) => wrap([{ text: `--- ${title} ---`, style: dim }], columns, 0),
    notice(at, output, session) {
      switch (output.type) {
        case "users":
          return layoutUserTable(output, session, theme);
        case "help":
          return layoutHelp(theme);
        case "failure":
        case "warning":
        case "elsewhere":
        case "displaced":
          return stamped(at, [{ text: `! ${sentenceOf(output)}`, style: alarm }]);
        case "joined":
        case "left":
        case "moved":
          return stamped(at, [{ text: sentenceOf(output), style: dim }]);
        default:
          return stamped(at, [{ text: sentenceOf(output) }]);
      }
    },
    told: (at, sentence) => stamped(at, [{ text: sentence }]),
    more(at, user, count) {
      const who = user === undefined ? "other users" : visibleName(user);
      const command = `:last ${user === undefined ? "" : `${who} `}${count}`;
      return stamped(at, [{ text: `${who}: ${count} more (${command})`, style: dim }]);
    },
    day: (date) => (columns) => wrap([{ text: `--- ${date} ---`, style: dim }], columns, 0),
  };
}

function layoutHelp({ bold, marks }: Theme): Entry {
  const lines = [
    ...Object.values(commands).map(({ usage, help }) => [usage, help] as const),
    ...KEYS_HELP,
    [
      `${marks.delivered}, ${marks.sent}`,
      "delivered; sent, but its protocol never tells whether it arrived",
    ] as const,
    [
      `${marks.unknown}, ${marks.cut}, ${marks.failed}`,
      "may have arrived; waits or is under way; failed",
    ] as const,
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  return (columns) => {
    const column = columns < NARROW ? 0 : width;
    return lines.flatMap(([name, help]) =>
      wrap(
        [{ text: name.padEnd(column - 2), style: bold }, { text: `  ${help}` }],
        columns,
        column || indentOf(columns),
      ),
    );
  };
}

/** Indentation of continuation rows: past the timestamp. */
function indentOf(columns: number): number {
  return columns < NARROW ? 2 : 8;
}
