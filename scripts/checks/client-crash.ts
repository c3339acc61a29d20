/**
 * A client crash loses no shown and no waiting message: `bun scripts/checks/client-crash.ts [times] [seed]`, by default
 * 1,000 times.
 *
 * Sends kill -9 to a client in a terminal at random moments, while it receives 200 messages a second and writes to a peer
 * that comes and goes; a second client shares its file throughout. Exits 1 if a shown line is missing from the transcript,
 * a waiting message never arrived and was not reported as unknown, one arrived more than twice or out of order, or the
 * file is damaged. Prints how many arrived twice, because the kill fell between the answer and our record of it.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/helpers/port.ts";
import { createRandom } from "../../test/helpers/random.ts";
import { startTerminal } from "./client-crash/terminal.ts";
import { createVisitor } from "./client-crash/visitor.ts";
import { writeTo } from "./client-crash/writer.ts";
import { PATIENT } from "./shared/ask.ts";
import { progress } from "./shared/progress.ts";
import { startRegistry } from "./shared/registry.ts";
import { until } from "./shared/until.ts";

/** The longest life of a client before it is killed, in milliseconds. */
const MAX_LIFE_MS = 600;
/** How long the last messages may take to arrive, in milliseconds. */
const MAX_ARRIVAL_MS = 90_000;
/** How long the other client may take to store its last messages, in milliseconds. */
const MAX_KEEPING_MS = 5000;
const MESSAGES_PER_SECOND = 200;
const TEXTS_PER_SECOND = 50;

const times = Number(process.argv[2] ?? 1000);
const random = createRandom(Number(process.argv[3] ?? 1));
process.env.NO_PROXY = "*";

const state = mkdtempSync(join(tmpdir(), "talk-client-crash-"));
process.on("exit", () => rmSync(state, { recursive: true, force: true }));
const path = join(state, "talk/talk.db");
const registry = await startRegistry("memory:", PATIENT);
/** Alice's, in all her lives. */
const port = freePort();
const bob = createVisitor(registry.url, "bob", freePort(), random);

const faults: string[] = [];
/** Messages found waiting after some kill. */
const waited = new Set<number>();
let typed = 0;
let written = 0;
let shownInAll = 0;
let acknowledged = 0;
let unseen = 0;

const watcher = startTerminal(registry.url, "ann", freePort(), state);
await watcher.joined;
const watched = writeTo(registry.url, "ann", "carol", MESSAGES_PER_SECOND / 4, () => written++);

const began = performance.now();
for (let i = 0; i < times; i++) {
  const alice = startTerminal(registry.url, "alice", port, state);
  await alice.joined;
  const writing = writeTo(registry.url, "alice", "carol", MESSAGES_PER_SECOND, () => written++);
  const visiting = bob.comeAndGo();
  const typing = setInterval(() => alice.type(`:to bob ${number(typed++)}`), 1000 / TEXTS_PER_SECOND);
  await Bun.sleep(random() * MAX_LIFE_MS);
  await alice.kill();
  clearInterval(typing);
  const delivered = await writing.stop();
  await visiting.stop();
  faults.push(...check(alice.shown(), delivered).map((fault) => `after kill ${i}: ${fault}`));
  progress(
    i + 1,
    times,
    `kills, ${shownInAll} lines shown, ${waited.size} texts waited, ${faults.length} faults`,
  );
}

// Bob stays now, and receives what still waits.
await bob.stay();
const last = startTerminal(registry.url, "alice", port, state);
await last.joined;
await until(() => waiting().length === 0, MAX_ARRIVAL_MS);
// A message is answered before it is kept, and the answers may come in another order.
const watchedTexts = await watched.stop();
await until(() => missing("ann", watchedTexts).length === 0, MAX_KEEPING_MS);
await watcher.kill();
await last.kill();
await bob.leave();
await registry.end();

const arrivals = bob.arrivals();
const counts = new Map<number, number>();
const firsts: number[] = [];
for (const text of arrivals) {
  if (!counts.has(text)) firsts.push(text);
  counts.set(text, (counts.get(text) ?? 0) + 1);
}
// For some the connection broke on both sides at once, or both attempts were killed; the user was told so.
const unknown = new Set(
  query("SELECT text FROM messages WHERE mine = 1 AND outcome IN ('broken', 'unanswered')").map(Number),
);
const missed = [...waited].filter((text) => !counts.has(text));
const lost = missed.filter((text) => !unknown.has(text));
const tooOften = [...counts].filter(([, count]) => count > 2);
const twice = [...counts].filter(([, count]) => count === 2);
const overtaken = firsts.filter((text, i) => text < (firsts[i - 1] ?? -1));
faults.push(...lost.map((text) => `text ${text} waited and never arrived (outcome: ${outcomeOf(text)})`));
faults.push(...tooOften.map(([text, count]) => `text ${text} arrived ${count} times`));
faults.push(...overtaken.map((text) => `text ${text} arrived after a later one`));
faults.push(...missing("ann", watchedTexts).map((text) => `message ${text} to the other client is not kept`));

for (const fault of faults.slice(0, 20)) process.stdout.write(`FAULT: ${fault}\n`);
process.stdout.write(
  [
    `kill -9                  ${times} times in ${((performance.now() - began) / 1000).toFixed(0)} s`,
    `lines shown              ${shownInAll}, all of them kept unless a fault says otherwise`,
    `messages taken           ${acknowledged}, of them ${unseen} neither shown nor kept when the kill came`,
    `texts typed              ${typed}, of them ${waited.size} waited`,
    `of those arrived         ${waited.size - missed.length}, twice ${twice.length}, unknown ${missed.length - lost.length}, lost ${lost.length}`,
    `the other client took    ${watchedTexts.length}, and kept them all unless a fault says otherwise`,
    `faults                   ${faults.length}`,
    "",
  ].join("\n"),
);
process.exit(faults.length === 0 ? 0 : 1);

/** Messages are eight-digit numbers, so that a fragment cannot be mistaken for one. */
function number(value: number): string {
  return String(value).padStart(8, "0");
}

/** Faults in the file after a kill. @param shown the numbers on the screen @param delivered those acknowledged */
function check(shown: readonly string[], delivered: readonly string[]): string[] {
  shownInAll += shown.length;
  acknowledged += delivered.length;
  unseen += missing("alice", delivered).length;
  for (const text of waiting()) waited.add(text);
  const integrity = query("PRAGMA integrity_check").join();
  return [
    ...missing("alice", shown).map((text) => `message ${text} was shown and is not kept`),
    ...(integrity === "ok" ? [] : [`integrity_check says ${integrity}`]),
  ];
}

function missing(me: string, texts: readonly string[]): string[] {
  const kept = new Set(
    query("SELECT text FROM messages WHERE mine = 0 AND chat = (SELECT id FROM chats WHERE me = ?)", me),
  );
  return texts.filter((text) => !kept.has(text));
}

/** What the transcript says of a text from alice. */
function outcomeOf(text: number): string {
  return query("SELECT outcome FROM messages WHERE mine = 1 AND text = ?", number(text)).join();
}

function waiting(): number[] {
  return query("SELECT text FROM waiting").map(Number);
}

function query(sql: string, ...values: string[]): unknown[] {
  const database = new Database(path);
  try {
    return database
      .query(sql)
      .values(...values)
      .flat();
  } finally {
    database.close();
  }
}
