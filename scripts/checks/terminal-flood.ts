/**
 * A flood loses no message and delays no key: `bun scripts/checks/terminal-flood.ts [messages]`, by default 10,000.
 *
 * Twenty users send 1,000 messages a second in all to a client in a terminal, while somebody types. Exits 1 if a key took
 * more than 20 ms to echo (p99), a message cannot be read afterwards, memory grew by more than 10 MB after the first fifth,
 * or finding a word in 100,000 messages takes more than 100 ms.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryId } from "../../src/client/registry/secrets.ts";
import { openStorage } from "../../src/client/storage/index.ts";
import { PATIENT } from "./shared/ask.ts";
import { givenNumbers, tell } from "./shared/figure.ts";
import { progress } from "./shared/progress.ts";
import { startRegistry } from "./shared/registry.ts";

const SENDERS = 20;
const MESSAGES_PER_SECOND = 1000;
const MESSAGES_SEARCHED = 100_000;
/** Time between two keys, in milliseconds; people are slower. */
const KEY_MS = 30;
const MAX_KEY_MS = 20;
const MAX_FIND_MS = 100;
const MAX_GROWTH_MB = 10;
/** Letters after which the line is cleared. */
const LINE_LENGTH = 40;

const [messages = 10_000] = givenNumbers();
process.env.NO_PROXY = "*";
const root = join(import.meta.dir, "../..");
const state = mkdtempSync(join(tmpdir(), "talk-flood-"));
process.on("exit", () => rmSync(state, { recursive: true, force: true }));
const registry = await startRegistry("memory:", PATIENT);

let screen = "";
let wanted = "";
let shown = Promise.withResolvers<void>();
const decoder = new TextDecoder();
const terminal = new Bun.Terminal({
  cols: 100,
  rows: 40,
  data(_, bytes) {
    screen = (screen + decoder.decode(bytes, { stream: true })).slice(-20_000);
    if (wanted !== "" && Bun.stripANSI(screen).includes(wanted)) shown.resolve();
  },
});
const command = [process.execPath, join(root, "src/client/main.ts"), "--name", "alice", "--port", "0"];
const client = Bun.spawn([...command, "--registry", registry.url, "--rate-limit", "0"], {
  terminal,
  env: { ...process.env, NO_COLOR: "1", TERM: "xterm", LC_ALL: "C.UTF-8", XDG_STATE_HOME: state },
});
process.on("exit", () => client.kill("SIGKILL"));
await see("(you)");

/** Resolves once the screen contains a text. */
async function see(text: string): Promise<void> {
  shown = Promise.withResolvers();
  wanted = text;
  await shown.promise;
  wanted = "";
}

function megabytes(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${client.pid}/status`, "utf8"))?.[1]) / 1024;
}

const answer = await fetch(`${registry.url}/v1/users/alice`);
const { port }: { port: number } = JSON.parse(await answer.text());
const sender = Bun.spawn([
  ...[process.execPath, join(import.meta.dir, "terminal-flood/sender.ts"), `http://127.0.0.1:${port}`],
  ...[SENDERS, messages / SENDERS, MESSAGES_PER_SECOND].map(String),
]);

const keys: number[] = [];
const began = performance.now();
let line = "";
let early = 0;
let most = 0;
while (sender.exitCode === null) {
  if (line.length === LINE_LENGTH) {
    terminal.write("\x15");
    line = "";
  }
  line += String.fromCharCode(97 + (keys.length % 26));
  screen = "";
  const at = performance.now();
  const seen = see(`> ${line}`);
  terminal.write(line.slice(-1));
  await seen;
  keys.push(performance.now() - at);
  const part = ((performance.now() - began) / 1000) * (MESSAGES_PER_SECOND / messages);
  if (part > 0.2) {
    early ||= megabytes();
    most = Math.max(most, megabytes());
  }
  progress(Math.min(messages, Math.round(part * messages)), messages, "messages");
  await Bun.sleep(KEY_MS);
}
keys.sort((a, b) => a - b);
const p99 = keys[Math.floor(keys.length * 0.99)] ?? 0;
tell({
  what: `a key, while ${MESSAGES_PER_SECOND} messages a second come in`,
  asked: `shown within ${MAX_KEY_MS} ms (p99)`,
  seen: `${(keys[keys.length >> 1] ?? 0).toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99) of ${keys.length} keys`,
  held: p99 <= MAX_KEY_MS,
});
tell({
  what: "memory meanwhile",
  asked: `at most ${MAX_GROWTH_MB} MB more after the first fifth`,
  seen: `${early.toFixed(0)} MB, ${most.toFixed(0)} MB at most`,
  held: most - early <= MAX_GROWTH_MB,
});
await Bun.sleep(100);
client.kill("SIGKILL");
await client.exited;

const storage = openStorage({
  path: join(state, "talk/talk.db"),
  historyFile: join(state, "talk/history"),
  onTrouble(sentence) {
    throw new Error(sentence);
  },
});
const { transcript } = storage.of(registryId(registry.url), "alice", true);
let inOrder = 0;
for (let i = 0; i < SENDERS; i++) {
  for (const [n, { text }] of transcript.last(`user-${i}`, messages).entries())
    if (text.startsWith(`message ${n},`)) inOrder++;
}
tell({
  what: `a flood of ${messages} messages from ${SENDERS} users, and kill -9`,
  asked: "each can be read with :last, in order",
  seen: `${inOrder} of ${messages}`,
  held: inOrder === messages,
});

for (let i = messages; i < MESSAGES_SEARCHED; i++) {
  transcript.heard(`user-${i % SENDERS}`, `message ${i}, as long as people write them, or nearly so`, false);
  if (i % 1000 === 0) transcript.commit();
}
transcript.commit();
const times: number[] = [];
for (let i = 0; i < 5; i++) {
  const at = performance.now();
  transcript.find("nobody has said this", 50);
  times.push(performance.now() - at);
}
tell({
  what: `:find, a word that is in none of ${MESSAGES_SEARCHED} messages`,
  asked: `within ${MAX_FIND_MS} ms`,
  seen: `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`,
  held: Math.max(...times) <= MAX_FIND_MS,
});
storage.close();
await registry.end();
process.exit();
