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
import { createEntries, type Own } from "./view/entries.ts";
import { createThrottle } from "./view/flood-limit.ts";
import { createFrame } from "./view/renderer.ts";
import { createAnswers, type Heard } from "./view/reply-order.ts";
import { createLog } from "./view/scrollback.ts";
import { layLive } from "./view/status-area.ts";
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
  const log = createLog(entries, now);
  const keys = createKeyReader();
  const bell = createBell(when, clock);
  const typed = createQueue<string>(MAX_LINES);
  const hungUp = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const underWay = new Map<number, Own>();
  let frame = createFrame();
  let editor = BLANK;
  let session: Session | undefined;
  let cancelDraw: (() => void) | undefined;
  let cancelKey = () => {};
  let cancelRepaint: (() => void) | undefined;
  /** Until the size has changed for the first time, above us is what was there before. */
  let screenIsOurs = false;
  let closed = false;

  const tty = openTty({
    onBytes: takeBytes,
    onResize,
    onReady: draw,
    onStop: suspend,
    onContinued() {
      frame = createFrame();
      draw();
    },
    onEnd() {
      typed.end();
      left.resolve();
      hungUp.resolve();
    },
  });
  const throttle = createThrottle(clock, (user, count) => {
    log.add(entries.more(log.time(), user, count));
    drawSoon();
  });
  const answers = createAnswers(clock, (user) => [...underWay.values()].some(({ to }) => to === user), hear);
  const history = openHistory(statePath("history", env), (sentence) => show({ type: "failure", sentence }));

  function draw(): void {
    cancelDraw?.();
    cancelDraw = undefined;
    // A terminal that does not keep up, or is about to be painted anew, gets all of it in one piece later.
    if (closed || cancelRepaint || tty.busy()) return;
    const { columns } = tty.size();
    tty.write(frame.draw(log.take(columns), block(), columns) + bell.take());
  }

  function drawSoon(): void {
    cancelDraw ??= clock.after(FRAME_MS, draw);
  }

  function repaint(): void {
    cancelRepaint = undefined;
    if (closed) return;
    const { columns, lines } = tty.size();
    log.take(columns);
    // What was on the screen before us goes where it can be scrolled back to.
    const away = screenIsOurs ? "" : `${frame.erase()}\x1b[${lines};1H${"\n".repeat(lines)}`;
    screenIsOurs = true;
    tty.write(away + frame.repaint(log.last(columns, lines), block(), columns, lines) + bell.take());
  }

  function onResize(): void {
    cancelRepaint?.();
    cancelRepaint = clock.after(RESIZE_MS, repaint);
  }

  function block() {
    const waiting = [...underWay.values()].map(entries.own);
    return layLive({ editor, session, underWay: waiting }, theme, tty.size());
  }

  function takeBytes(bytes: Uint8Array): void {
    cancelKey();
    for (const key of keys.read(bytes)) takeKey(key);
    const patience = keys.patience();
    if (patience !== undefined) cancelKey = clock.after(patience, giveKeys);
    draw();
  }

  function giveKeys(): void {
    for (const key of keys.give()) takeKey(key);
    draw();
  }

  function takeKey(key: Key): void {
    if (key.type === "focus") bell.focus(key.focused);
    const known = { history: history.lines(), commands: Object.keys(commands), users: names(session) };
    const [next, action] = press(editor, key, known);
    editor = next;
    act(action);
  }

  function act(action: Action): void {
    switch (action.type) {
      case "none":
        break;
      case "submit":
        history.add(action.text);
        typed.push(action.text);
        break;
      case "command":
        typed.push(action.text);
        break;
      case "leave":
        typed.end();
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
    tty.write(frame.erase());
    tty.suspend();
  }

  function show(output: Output): void {
    switch (output.type) {
      case "message":
        answers.take(output);
        break;
      case "sending":
        underWay.set(output.id, { at: log.time(), to: output.to, text: output.text, outcome: undefined });
        break;
      case "outcome": {
        const { id, to, text, outcome } = output;
        const at = underWay.get(id)?.at ?? log.time();
        underWay.delete(id);
        log.add(entries.own({ at, to, text, outcome }));
        answers.settle();
        break;
      }
      default:
        log.add(entries.notice(log.time(), output, session));
    }
    drawSoon();
  }

  function hear({ message: { user, text }, doubtful }: Heard): void {
    const entry = entries.message(log.time(), user, text, doubtful);
    if (throttle.admits(user, entry(tty.size().columns).length)) log.add(entry);
    bell.hear(user === session?.selected);
    drawSoon();
  }

  function release(): void {
    if (closed) return;
    answers.flush();
    throttle.flush();
    const { columns } = tty.size();
    tty.write(frame.draw(log.take(columns), { rows: [], cursor: { row: 0, column: 0 } }, columns));
    closed = true;
    tty.restore();
  }

  draw();
  return {
    lines: () => typed,
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
