/** The terminal of a person: what happens scrolls by, and below it stands the line being typed. */
import { isUserName } from "../../core/names.ts";
import { createQueue } from "../event-queue.ts";
import { commands } from "../session/commands.ts";
import type { Output, Session } from "../session/model.ts";
import { statePath } from "../state-directory.ts";
import { type Action, BLANK, press } from "./input/editor.ts";
import { openHistory } from "./input/history.ts";
import { createKeyReader, type Key } from "./input/keys.ts";
import { openTty } from "./tty.ts";
import type { Screen, Settings } from "./types.ts";
import { createBell } from "./view/bell.ts";
import { createEntries, type SentText } from "./view/entries.ts";
import { createFloodLimit } from "./view/flood-limit.ts";
import { createRenderer } from "./view/renderer.ts";
import { createReplyOrder, type MessageOutput } from "./view/reply-order.ts";
import { createScrollback } from "./view/scrollback.ts";
import { layoutStatusArea } from "./view/status-area.ts";
import { createTheme } from "./view/theme.ts";

/** What comes within this time is drawn at once, in milliseconds: faster is not seen. */
const FRAME_MS = 15;

/** While a window is pulled, its size changes again within this many milliseconds. */
const RESIZE_MS = 60;

/** Most lines that wait to be taken; whoever pastes more has no use for them. */
const MAX_LINES = 10_000;

export function openInteractive({ bell: when, env, clock, now }: Settings): Screen {
  const theme = createTheme(env);
  const entries = createEntries(theme);
  const scrollback = createScrollback(entries, now);
  const keys = createKeyReader();
  const bell = createBell(when, clock);
  const lines = createQueue<string>(MAX_LINES);
  const hungUp = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const pending = new Map<number, SentText>();
  let renderer = createRenderer();
  let editor = BLANK;
  let session: Session | undefined;
  let cancelDraw: (() => void) | undefined;
  let cancelKey = () => {};
  let cancelRepaint: (() => void) | undefined;
  /** Until the size has changed for the first time, above us is what was there before. */
  let screenIsOurs = false;
  let closed = false;

  const tty = openTty({
    onBytes,
    onResize,
    onReady: draw,
    onStop: suspend,
    onContinued() {
      renderer = createRenderer();
      draw();
    },
    onEnd() {
      lines.end();
      left.resolve();
      hungUp.resolve();
    },
  });
  const floodLimit = createFloodLimit(clock, (user, count) => {
    scrollback.add(entries.more(scrollback.time(), user, count));
    drawSoon();
  });
  const replyOrder = createReplyOrder(
    clock,
    (user) => [...pending.values()].some(({ to }) => to === user),
    showMessage,
  );
  const history = openHistory(statePath("history", env), (sentence) => show({ type: "failure", sentence }));

  function draw(): void {
    cancelDraw?.();
    cancelDraw = undefined;
    // A terminal that does not keep up, or is about to be painted anew, gets all of it in one piece later.
    if (closed || cancelRepaint || tty.busy()) return;
    const { columns } = tty.size();
    tty.write(renderer.draw(scrollback.drain(columns), block(), columns) + bell.ring());
  }

  function drawSoon(): void {
    cancelDraw ??= clock.after(FRAME_MS, draw);
  }

  function repaint(): void {
    cancelRepaint = undefined;
    if (closed) return;
    const { columns, lines } = tty.size();
    scrollback.drain(columns);
    // What was on the screen before us goes where it can be scrolled back to.
    const away = screenIsOurs ? "" : `${renderer.erase()}\x1b[${lines};1H${"\n".repeat(lines)}`;
    screenIsOurs = true;
    tty.write(
      away + renderer.repaint(scrollback.last(columns, lines), block(), columns, lines) + bell.ring(),
    );
  }

  function onResize(): void {
    cancelRepaint?.();
    cancelRepaint = clock.after(RESIZE_MS, repaint);
  }

  function block() {
    const waiting = [...pending.values()].map(entries.sent);
    return layoutStatusArea({ editor, session, pending: waiting }, theme, tty.size());
  }

  function onBytes(bytes: Uint8Array): void {
    cancelKey();
    for (const key of keys.read(bytes)) onKey(key);
    const timeout = keys.timeout();
    if (timeout !== undefined) cancelKey = clock.after(timeout, flushKeys);
    draw();
  }

  function flushKeys(): void {
    for (const key of keys.flush()) onKey(key);
    draw();
  }

  function onKey(key: Key): void {
    if (key.type === "focus") bell.setFocus(key.focused);
    const context = { history: history.lines(), commands: Object.keys(commands), users: names(session) };
    const [next, action] = press(editor, key, context);
    editor = next;
    perform(action);
  }

  function perform(action: Action): void {
    switch (action.type) {
      case "none":
        break;
      case "submit":
        history.add(action.text);
        lines.push(action.text);
        break;
      case "command":
        lines.push(action.text);
        break;
      case "leave":
        lines.end();
        left.resolve();
        break;
      case "repaint":
        onResize();
        break;
      case "suspend":
        suspend();
    }
  }

  function suspend(): void {
    tty.write(renderer.erase());
    tty.suspend();
  }

  function show(output: Output): void {
    switch (output.type) {
      case "message":
        replyOrder.push(output);
        break;
      case "sending":
        pending.set(output.id, {
          at: scrollback.time(),
          to: output.to,
          text: output.text,
          outcome: undefined,
        });
        break;
      case "outcome": {
        const { id, to, text, outcome } = output;
        const at = pending.get(id)?.at ?? scrollback.time();
        pending.delete(id);
        scrollback.add(entries.sent({ at, to, text, outcome }));
        replyOrder.settle();
        break;
      }
      default:
        scrollback.add(entries.notice(scrollback.time(), output, session));
    }
    drawSoon();
  }

  function showMessage({ message: { user, text }, doubtful }: MessageOutput): void {
    const entry = entries.message(scrollback.time(), user, text, doubtful);
    if (floodLimit.admits(user, entry(tty.size().columns).length)) scrollback.add(entry);
    bell.messageArrived(user === session?.selected);
    drawSoon();
  }

  function release(): void {
    if (closed) return;
    replyOrder.flush();
    floodLimit.flush();
    const { columns } = tty.size();
    tty.write(renderer.draw(scrollback.drain(columns), { rows: [], cursor: { row: 0, column: 0 } }, columns));
    closed = true;
    tty.restore();
  }

  draw();
  return {
    lines: () => lines,
    show,
    follow(next) {
      session = next;
      drawSoon();
    },
    left: left.promise,
    hungUp: hungUp.promise,
    release,
    async close() {
      release();
      await tty.flush();
    },
  };
}

/** The names that can be completed: those that can be typed. */
function names(session: Session | undefined): string[] {
  return [...(session?.users.keys() ?? [])].filter(isUserName);
}
