/** Runs a program for each message (--on-message). */
import { errorCode } from "../../core/errors.ts";
import type { Message, UserName } from "../../core/schemas.ts";
import { createBoundedQueue } from "../bounded-queue.ts";
import { createCondition } from "../condition.ts";

/** Most programs running at once. */
const MAX_RUNNING = 4;

/** Most queued messages, and their bytes; beyond that, it is a flood no program keeps up with. */
const MAX_WAITING = { items: 1000, bytes: 4 * 1024 * 1024 };

export interface Handler {
  /** Runs the program for a message; starts in the order of the messages. */
  handle(message: Message): void;
  /** Resolves once no program runs or waits. */
  idle(): Promise<void>;
  /** Kills running programs, and drops what is queued. */
  kill(): void;
}

/**
 * Passes the text on standard input, and sender, time and recipient in the environment; no shell sees any of it. The
 * program's output goes to our standard error.
 * @param onTrouble called if the program cannot be run, fails, or is skipped because too many messages are queued
 */
export function createHandler({
  program,
  me,
  onTrouble,
}: {
  /** A path. */
  program: string;
  me: UserName;
  onTrouble: (sentence: string) => void;
}): Handler {
  let waiting = createBoundedQueue<{ message: Message; at: string }>(MAX_WAITING);
  const running = new Set<Bun.Subprocess>();
  const ended = createCondition();

  function pump(): void {
    while (running.size < MAX_RUNNING) {
      const next = waiting.shift();
      if (!next) return;
      run(next);
    }
  }

  function run({ message: { user, text }, at }: { message: Message; at: string }): void {
    try {
      const child = Bun.spawn([program], {
        env: { ...process.env, TALK_USER: user, TALK_AT: at, TALK_ME: me },
        stdin: Buffer.from(text),
        stdout: 2,
        stderr: "inherit",
      });
      running.add(child);
      void child.exited.then((code) => {
        running.delete(child);
        if (code !== 0) onTrouble(`${program} exited with code ${code} on a message from ${user}`);
        ended.notify();
        pump();
      });
    } catch (error) {
      onTrouble(`${program} cannot be run: ${errorCode(error) ?? error}`);
    }
  }

  return {
    handle(message) {
      if (waiting.isFull()) {
        onTrouble(
          `${program} is not run on a message from ${message.user}, because ${waiting.length} others wait`,
        );
        return;
      }
      waiting.push({ message, at: new Date().toISOString() }, Buffer.byteLength(message.text));
      pump();
    },
    idle: () => ended.until(() => running.size + waiting.length === 0),
    kill() {
      waiting = createBoundedQueue();
      for (const child of running) child.kill();
    },
  };
}
