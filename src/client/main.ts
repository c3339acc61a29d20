import { defineCommand } from "citty";
import { checkFlags, invocation, runMain } from "../core/cli.ts";
import { TalkError } from "../core/errors.ts";
import { stopSignal } from "../core/signals.ts";
import { flags, readOptions } from "./options.ts";
import type { TypedLine } from "./session/model.ts";

/** How long joining may continue after a signal, in milliseconds, so that the registration can be removed. */
const JOIN_GRACE_MS = 1500;

/** How long leaving may take, including --on-message programs, in milliseconds: 3 s in all. */
const LEAVE_MS = 2700;

/** How long to wait for our output's reader to take the last lines, in milliseconds. */
const FLUSH_MS = 300;

/** Lines handled before sockets, timers and signals get a turn; otherwise buffered lines would starve them. */
const LINES_PER_TURN = 64;

export const client = defineCommand({
  meta: {
    name: invocation("client"),
    description: "Chats with the users of a Talk registry; :help lists the commands of the chat",
  },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const { interval, program, bell, ...options } = await readOptions(args);
    const stop = stopSignal();

    // Loaded late: --help and wrong flags do not need it. The screen comes first, so that one can type at once.
    const [{ openScreen }, { openStorage }, { statePath }] = await Promise.all([
      import("./terminal/index.ts"),
      import("./storage/index.ts"),
      import("./state-directory.ts"),
    ]);
    const storage = openStorage({
      path: "transcript" in args ? undefined : statePath("talk.db", process.env),
      historyFile: statePath("history", process.env),
      onTrouble: (sentence) => screen.show({ type: "warning", sentence }),
    });
    const screen = await openScreen({ json: args.json === true, plain: args.plain === true, bell, storage });
    const [
      { atMost, nextTurn },
      { listenAndRegister },
      { startRuntime },
      { createHandler },
      { readJsonLine },
      { registryId },
      { adviseOnRegistry },
    ] = await Promise.all([
      import("../core/clock.ts"),
      import("./join.ts"),
      import("./runtime.ts"),
      import("./inbound/on-message.ts"),
      import("./terminal/json.ts"),
      import("./registry/secrets.ts"),
      import("./registry/advice.ts"),
    ]);

    const joining = listenAndRegister(options).catch((error) => {
      screen.release();
      throw adviseOnRegistry(error);
    });
    const given = Promise.race([stop, screen.left]);
    const late = given.then(() => Bun.sleep(LEAVE_MS));
    const joined = await Promise.race([joining, given.then(() => Bun.sleep(JOIN_GRACE_MS))]);
    if (!joined) {
      screen.release();
      process.exit(0);
    }

    const onTrouble = (sentence: string) => screen.show({ type: "failure", sentence });
    const handler =
      program === undefined ? undefined : createHandler({ program, me: joined.registration.name, onTrouble });
    const runtime = startRuntime(joined, {
      interval,
      kept: storage.of(registryId(joined.registry.url), joined.registration.name, screen.isPersonal === true),
      onOutput(output) {
        screen.show(output);
        if (output.type === "message") handler?.handle(output.message);
      },
      onChange: screen.follow,
      isFull: screen.full,
      hasPrompt: screen.hasPrompt === true,
    });
    await Promise.race([runtime.started, stop]);

    const read = args.json ? readJsonLine : (line: TypedLine) => line;
    let over = false;
    async function readLines() {
      let count = 0;
      try {
        for await (const line of screen.lines()) {
          if (over) return;
          await runtime.input(read(line));
          await screen.room?.();
          if (++count % LINES_PER_TURN === 0) await nextTurn();
        }
      } catch (error) {
        // An input that fails has ended.
        if (!(error instanceof TalkError)) throw error;
        onTrouble(error.message);
      }
      await runtime.input({ type: "line", text: ":exit" });
      await runtime.left;
    }
    await Promise.race([readLines(), runtime.left, screen.hungUp, stop]);
    over = true;

    const left = runtime.leave().then(() => handler?.idle());
    await Promise.race([atMost(LEAVE_MS, left), late]);
    handler?.kill();
    storage.close();
    await Promise.race([screen.close(), Bun.sleep(FLUSH_MS)]);
    process.exit(0);
  },
});

if (import.meta.main) await runMain(client);
