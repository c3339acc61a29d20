import { expect, test } from "bun:test";
import type { Users } from "../../src/client/registry.ts";
import { type Effect, type Event, type Session, startSession, step } from "../../src/client/session.ts";

const ALICE = { protocol: "HTTP", host: "10.0.0.1", port: 8080 };
const BOB = { protocol: "UDP", host: "10.0.0.2", port: 3000 };
const users: Users = new Map([
  ["alice", ALICE],
  ["bob", BOB],
]);

/** The session after some events, and what the last one called for. */
function after(...events: Event[]): { session: Session; effects: Effect[] } {
  let session = startSession("alice");
  let effects: Effect[] = [];
  for (const event of events) [session, effects] = step(session, event);
  return { session, effects };
}

const line = (text: string): Event => ({ type: "line", text });
const list = (users: Users): Event => ({ type: "list", users, purpose: { type: "show" } });

test("a text goes to the selected user's address", () => {
  const { effects } = after(list(users), line(":user bob"), line("hello"));
  expect(effects).toEqual([
    { type: "send", to: "bob", address: BOB, body: '{"user":"alice","text":"hello"}' },
  ]);
});

test("a text keeps its spaces", () => {
  const { effects } = after(list(users), line(":user bob"), line("  a  b "));
  expect(effects).toMatchObject([{ body: '{"user":"alice","text":"  a  b "}' }]);
});

test.each(["", " ", "\t"])("the empty line %j does nothing", (text) => {
  expect(after(list(users), line(":user bob"), line(text)).effects).toEqual([]);
});

test.each([
  [":)", ":)"],
  [":-(", ":-("],
  [":", ":"],
  [": hi", ": hi"],
  [":1", ":1"],
  ["::exit", ":exit"],
  [":::", "::"],
  [" :exit", " :exit"],
])("%j is the text %j", (typed, text) => {
  const { effects } = after(list(users), line(":user bob"), line(typed));
  expect(effects).toMatchObject([{ type: "send", body: JSON.stringify({ user: "alice", text }) }]);
});

test("a user who is not in the known list is looked up first", () => {
  const asked = after(list(new Map()), line(":user bob"));
  expect(asked.effects).toEqual([{ type: "fetchList", purpose: { type: "select", user: "bob" } }]);
  const [session, effects] = step(asked.session, {
    type: "list",
    users,
    purpose: { type: "select", user: "bob" },
  });
  expect(session.selected).toBe("bob");
  expect(effects).toMatchObject([{ output: { type: "selected", user: "bob" } }]);
});

test("the selected user who is gone is told, and nobody is selected", () => {
  const { session, effects } = after(list(users), line(":user bob"), list(new Map([["alice", ALICE]])));
  expect(session.selected).toBeUndefined();
  expect(effects).toContainEqual({ type: "print", output: { type: "gone", user: "bob" } });
});

test("without the registry the known list stays", () => {
  const down: Event = { type: "noList", reason: "no registry", purpose: { type: "show" } };
  const { session, effects } = after(list(users), down);
  expect(session.users).toEqual(users);
  expect(effects).toMatchObject([
    { output: { type: "failure", sentence: "no registry; the known list stays" } },
  ]);
});

test(":exit leaves", () => {
  expect(after(line(":exit")).effects).toEqual([{ type: "leave" }]);
});
