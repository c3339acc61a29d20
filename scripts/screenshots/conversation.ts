/** Draws a conversation between real clients in real terminals: `bun scripts/screenshots/conversation.ts [file]`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistry } from "talk/registry";
import { openTerminal, picture, sizeOf } from "./terminal.ts";

const root = join(import.meta.dir, "../..");
const [file = join(root, "docs/conversation.svg")] = process.argv.slice(2);
const [COLUMNS, ROWS, GAP] = [56, 12, 16];

const registry = await createRegistry({ store: "memory:" });
const url = await registry.listen({ port: 0 });
const state = mkdtempSync(join(tmpdir(), "talk-screenshot-"));

function client(name: string, protocol = "HTTP") {
  const args = ["--name", name, "--protocol", protocol, "--registry", url];
  const command = [process.execPath, join(root, "src/client/main.ts"), ...args];
  return openTerminal(command, COLUMNS, ROWS, { XDG_STATE_HOME: join(state, name) });
}

const alice = client("alice");
await alice.shows("(you)");
const carol = client("carol");
await carol.shows("(you)");
const bob = client("bob", "WEBSOCKET");
await bob.shows("(you)");

alice.type(":user bob\r");
await alice.shows("bob>");
alice.type("hi bob, lunch at one?\r");
await bob.shows("lunch at one?");
await alice.shows("✓");
bob.type(":reply\r");
await bob.shows("alice>");
bob.type("one is fine – the usual place?\r");
await alice.shows("the usual place?");
alice.type("yes. bring the plans, please\r");
await bob.shows("bring the plans");
carol.type(":user bob\r");
await carol.shows("bob>");
carol.type("the build is green again\r");
await bob.shows("green again");
carol.type(":user alice\r");
await carol.shows("alice>");
carol.type("are you there?\r");
await alice.shows("are you there?");
bob.type("will do, see y");
await bob.shows("see y");

const { width, height } = sizeOf(COLUMNS, ROWS);
const about = "Alice and Bob chat in two terminals; Carol has written to both, and waits to be read";
const windows = [
  alice.draw(0, 0, "talk client --name alice"),
  bob.draw(width + GAP, 0, "talk client --name bob --protocol WEBSOCKET"),
];
await Bun.write(file, picture(2 * width + GAP, height, about, windows));

await Promise.all([alice, bob, carol].map((screen) => screen.close()));
await registry.close();
rmSync(state, { recursive: true });
process.exit(0);
