import { type ArgsDef, defineCommand } from "citty";
import { checkFlags, invocation, runMain } from "../core/cli.ts";
import { REGISTRY_URL } from "../core/protocol.ts";
import { stopSignal } from "../core/signals.ts";
import type { Users } from "./registry/types.ts";
import type { Output } from "./session/model.ts";
import { isTerminal } from "./terminal/is-terminal.ts";
import type { Screen } from "./terminal/types.ts";
import type { Entry } from "./terminal/view/entries.ts";

const flags = {
  registry: {
    type: "string",
    description: `the registry to ask, as a URL or host[:port] (Default: $TALK_REGISTRY, else ${REGISTRY_URL})`,
    valueHint: "url",
  },
  watch: { type: "boolean", description: "keep running, and report who joins, moves and leaves" },
  json: { type: "boolean", description: "write JSON lines: the list, then each change" },
} satisfies ArgsDef;

/** Poll interval for a registry without a stream of changes, in milliseconds, ±20 %. */
const POLL_MS = 150_000;

/** Shorter than the chat's sentence, because there is no chat to go on. */
const AWAY = "the registry does not answer";

/** Columns assumed if the terminal does not report its size. */
const COLUMNS = 80;

/** This command is not a user, so nobody is marked `(you)`. */
const NOBODY = "";

export const users = defineCommand({
  meta: { name: invocation("users"), description: "Shows who is registered at a Talk registry, and where" },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    // Loaded late: --help and unknown flags do not need it.
    const [{ registryOf }, { connectRegistry }, { adviseOnRegistry }, screen] = await Promise.all([
      import("./flag-values.ts"),
      import("./registry/api.ts"),
      import("./registry/advice.ts"),
      args.json ? openJson() : isTerminal("stdout").then((is) => (is ? openTerminal() : openText())),
    ]);
    const { list, url } = connectRegistry(registryOf(args.registry));
    const known = await list().catch((error) => {
      throw adviseOnRegistry(error);
    });
    screen.show({ type: "users", users: known, me: NOBODY });
    if (args.watch) {
      await watch({ list, url }, known, screen.show, Promise.race([stopSignal(), screen.hungUp]));
    }
    await screen.close();
  },
});

/** Reports changes until `stop`: at once from the stream, or from polls if there is none. */
async function watch(
  registry: { list(): Promise<Users>; url: string },
  listed: Users,
  tell: (output: Output) => void,
  stop: Promise<void>,
): Promise<void> {
  const [{ systemClock }, { TalkError }, { differences }, { followChanges }, { startPolling }] =
    await Promise.all([
      import("../core/clock.ts"),
      import("../core/errors.ts"),
      import("./registry/listed-users.ts"),
      import("./registry/follow-changes.ts"),
      import("./registry/poll-list.ts"),
    ]);
  let known = listed;
  let isUp = true;

  function onUsers(users: Users): void {
    if (!isUp) tell({ type: "registry", up: true });
    isUp = true;
    for (const difference of differences(known, users)) tell(difference);
    known = users;
  }

  function onAway(): void {
    if (isUp) tell({ type: "registry", up: false });
    isUp = false;
  }

  async function ask(): Promise<boolean> {
    try {
      const since = changes.position();
      onUsers(changes.know(await registry.list(), since));
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      onAway();
    }
    return isUp;
  }

  const changes = followChanges(registry.url, { onUsers, onAway });
  const stopPolling = startPolling({ ask, interval: POLL_MS, clock: systemClock, random: Math.random });
  await stop;
  stopPolling();
  changes.stop();
}

async function openJson(): Promise<Screen> {
  return (await import("./terminal/json.ts")).openJson();
}

/** Shows the list and changes as in a chat, but only appends lines. */
async function openTerminal(): Promise<Screen> {
  const [{ createLineScreen, openStandardOutput }, { createEntries }, { createTheme }] = await Promise.all([
    import("./terminal/stdio.ts"),
    import("./terminal/view/entries.ts"),
    import("./terminal/view/theme.ts"),
  ]);
  const entries = createEntries(createTheme(process.env));
  const out = openStandardOutput();
  const at = () => new Date().toTimeString().slice(0, "12:34".length);

  function write(entry: Entry): void {
    for (const { text } of entry(process.stdout.columns || COLUMNS)) out.write(`${text.trimEnd()}\n`);
  }

  return createLineScreen(out, (output) => {
    switch (output.type) {
      case "users":
        // An empty list prints nothing.
        if (output.users.size > 0) write(entries.notice(at(), output, undefined));
        break;
      case "registry":
        write(output.up ? entries.notice(at(), output, undefined) : entries.told(at(), `! ${AWAY}`));
        break;
      case "joined":
      case "moved":
      case "left":
        write(entries.notice(at(), output, undefined));
    }
  });
}

async function openText(): Promise<Screen> {
  const screen = (await import("./terminal/piped.ts")).openPiped();
  return {
    ...screen,
    show(output) {
      // An empty list prints nothing.
      if (output.type === "users" && output.users.size === 0) return;
      if (output.type === "registry" && !output.up) screen.show({ type: "warning", sentence: AWAY });
      else screen.show(output);
    },
  };
}

if (import.meta.main) await runMain(users);
