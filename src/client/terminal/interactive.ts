/** A terminal with a person in front of it: entries scroll by, and the line being typed stays below them. */
import { isUserName } from "../../core/names.ts";
import { createQueue } from "../event-queue.ts";
import { commands } from "../session/commands.ts";
import type { Output, Session, TypedLine } from "../session/model.ts";
import { countsOf, troubleOf } from "../session/sentences.ts";
import type { Action } from "./input/editor.ts";
import { createKeyboard } from "./input/keyboard.ts";
import type { Screen, Settings } from "./types.ts";
import { createBell } from "./view/bell.ts";
import { openDisplay } from "./view/display.ts";
import { createEntries, type SentText } from "./view/entries.ts";
import { createFloodLimit } from "./view/flood-limit.ts";
import { layoutKept } from "./view/recalled.ts";
import { createReplyOrder, type MessageOutput } from "./view/reply-order.ts";
import { createScrollback } from "./view/scrollback.ts";
import { layoutStatusArea } from "./view/status-area.ts";
import { createTheme } from "./view/theme.ts";

/** Limits of the queue of typed lines; beyond them, the oldest are dropped. */
const MAX_LINES = { items: 10_000, bytes: 16 * 1024 * 1024 };

export function openInteractive({ bell: when, env, clock, now, storage }: Settings): Screen {
  const theme = createTheme(env);
  const entries = createEntries(theme);
  const scrollback = createScrollback(entries, now);
  const bell = createBell(when, clock);
  const lines = createQueue<TypedLine>(MAX_LINES, ({ text }) => Buffer.byteLength(text));
  const hungUp = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  /** My texts whose outcome is not known yet. */
  const pending = new Map<number, SentText>();
  let session: Session | undefined;

  const keyboard = createKeyboard({
    clock,
    context: () => ({
      // A getter, because history is loaded only when someone recalls it.
      get history() {
        return storage.history.lines();
      },
      commands: Object.keys(commands),
      // Only names that can be typed.
      users: [...(session?.users.keys() ?? [])].filter(isUserName),
    }),
    onAction: perform,
    onFocus: bell.setFocus,
    onChange: () => display.draw(),
  });
  const display = openDisplay({
    clock,
    scrollback,
    statusArea(size) {
      const editor = keyboard.editor();
      const waiting = [...pending.values()].map(entries.sent);
      return layoutStatusArea({ editor, session, pending: waiting }, theme, size);
    },
    mayShow: storage.commit,
    ring: bell.ring,
    onBytes: keyboard.read,
    onEnd() {
      leave();
      hungUp.resolve();
    },
  });
  const floodLimit = createFloodLimit(clock, (user, count) => {
    scrollback.add(entries.more(scrollback.time(), user, count));
    display.drawSoon();
  });
  const isPending = (user: string) => [...pending.values()].some(({ to }) => to === user);
  const replyOrder = createReplyOrder(clock, isPending, showMessage);

  function perform(action: Action): void {
    switch (action.type) {
      case "none":
        break;
      case "submit":
        storage.history.add(action.text);
        push(action.text);
        break;
      case "command":
        push(action.text);
        break;
      case "leave":
        leave();
        break;
      case "repaint":
        display.repaintSoon();
        break;
      case "suspend":
        display.suspend();
    }
  }

  function push(text: string): void {
    lines.push({ type: "line", text, misses: session?.misses ?? 0 });
  }

  function leave(): void {
    lines.end();
    left.resolve();
  }

  function show(output: Output): void {
    const at = scrollback.time();
    switch (output.type) {
      case "message":
        replyOrder.push(output);
        break;
      case "sending":
        if (!output.grouped)
          pending.set(output.id, { at, to: output.to, text: output.text, outcome: undefined });
        break;
      case "broadcasting": {
        const { id, to, text } = output;
        pending.set(id, { at, to: "", users: to.length, text, outcome: undefined });
        break;
      }
      case "broadcast": {
        const { id, text, outcomes } = output;
        const sentAt = pending.get(id)?.at ?? at;
        pending.delete(id);
        scrollback.add(entries.broadcast(sentAt, outcomes.size, text, countsOf(outcomes)));
        break;
      }
      case "forwarded":
        if (troubleOf(output.to, output.outcome) !== undefined)
          scrollback.add(entries.sent({ at, ...output }));
        break;
      case "said":
      case "waits":
        for (const entry of layoutKept(output, entries, scrollback.day())) scrollback.add(entry);
        break;
      case "outcome": {
        const { id, to, text, outcome, grouped } = output;
        if (grouped) break;
        const sentAt = pending.get(id)?.at ?? at;
        pending.delete(id);
        scrollback.add(entries.sent({ at: sentAt, to, text, outcome }));
        replyOrder.settle();
        break;
      }
      default:
        scrollback.add(entries.notice(at, output, session));
    }
    display.drawSoon();
  }

  function showMessage({ message: { user, text }, doubtful }: MessageOutput): void {
    const entry = entries.message(scrollback.time(), user, text, doubtful);
    if (floodLimit.admits(user, entry(display.columns()).length)) scrollback.add(entry);
    bell.messageArrived(user === session?.selected);
    display.drawSoon();
  }

  function release(): void {
    replyOrder.flush();
    floodLimit.flush();
    display.release();
  }

  display.draw();
  return {
    isPersonal: true,
    hasPrompt: true,
    lines: () => lines,
    show,
    follow(next) {
      session = next;
      display.drawSoon();
    },
    left: left.promise,
    hungUp: hungUp.promise,
    release,
    async close() {
      release();
      await display.flush();
    },
  };
}
