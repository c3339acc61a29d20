import { describe, expect, test } from "bun:test";
import type { Users } from "../../src/client/registry/types.ts";
import { type Cmd, type Msg, type Session, startSession } from "../../src/client/session/model.ts";
import { update } from "../../src/client/session/update.ts";
import type { Outcome } from "../../src/client/transports/types.ts";
import type { Address } from "../../src/core/schemas.ts";

const ALICE: Address = { protocol: "HTTP", host: "10.0.0.1", port: 8080 };
const BOB = { protocol: "UDP", host: "10.0.0.2", port: 3000 };
const users: Users = new Map([
  ["alice", ALICE],
  ["bob", BOB],
]);

/** The session after some messages, and what the last one called for. */
function after(...msgs: Msg[]): { session: Session; cmds: Cmd[] } {
  let session = startSession("alice", ALICE);
  let cmds: Cmd[] = [];
  for (const msg of msgs) [session, cmds] = update(session, msg);
  return { session, cmds };
}

const line = (text: string): Msg => ({ type: "line", text });
const list = (users: Users): Msg => ({ type: "list", users, purpose: { type: "show" } });

test("a text goes to the selected user's address", () => {
  const { cmds } = after(list(users), line(":user bob"), line("hello"));
  expect(cmds).toEqual([
    { type: "print", output: { type: "sending", id: 0, to: "bob", text: "hello" } },
    { type: "send", id: 0, to: "bob", address: BOB, text: "hello", body: '{"user":"alice","text":"hello"}' },
  ]);
});

test("each text has an id of its own, and its outcome is told by it", () => {
  const { session, cmds } = after(list(users), line(":user bob"), line("one"), line("two"));
  expect(cmds).toMatchObject([{ output: { id: 1 } }, { id: 1, text: "two" }]);
  const outcome = { type: "failed", reason: "refused" } as const;
  const told = update(session, { type: "outcome", id: 0, to: "bob", text: "one", outcome });
  expect(told[1]).toEqual([
    { type: "print", output: { type: "outcome", id: 0, to: "bob", text: "one", outcome } },
  ]);
});

test("a text keeps its spaces", () => {
  const { cmds } = after(list(users), line(":user bob"), line("  a  b "));
  expect(cmds).toMatchObject([{}, { body: '{"user":"alice","text":"  a  b "}' }]);
});

test.each(["", " ", "\t"])("the empty line %j does nothing", (text) => {
  expect(after(list(users), line(":user bob"), line(text)).cmds).toEqual([]);
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
  const { cmds } = after(list(users), line(":user bob"), line(typed));
  expect(cmds).toMatchObject([{}, { type: "send", body: JSON.stringify({ user: "alice", text }) }]);
});

test("a user who is not in the known list is looked up first", () => {
  const asked = after(list(new Map([["alice", ALICE]])), line(":user bob"));
  expect(asked.cmds).toEqual([{ type: "fetchList", purpose: { type: "select", user: "bob" } }]);
  const [session, cmds] = update(asked.session, {
    type: "list",
    users,
    purpose: { type: "select", user: "bob" },
  });
  expect(session.selected).toBe("bob");
  expect(cmds).toMatchObject([{ output: { type: "joined" } }, { output: { type: "selected", user: "bob" } }]);
});

test("the selected user who is gone is told, and nobody is selected", () => {
  const { session, cmds } = after(list(users), line(":user bob"), list(new Map([["alice", ALICE]])));
  expect(session.selected).toBeUndefined();
  expect(cmds).toContainEqual({ type: "print", output: { type: "gone", user: "bob", address: BOB } });
});

test("without the registry the known list stays, and its outage is told", () => {
  const down: Msg = { type: "noList", reason: "no registry", purpose: { type: "show" } };
  const { session, cmds } = after(list(users), down);
  expect(session.users).toEqual(users);
  expect(cmds).toMatchObject([
    { output: { type: "registry", up: false } },
    { output: { type: "failure", sentence: "no registry; keeping the last known list" } },
  ]);
});

describe("who wrote", () => {
  const from = (user: string): Msg => ({
    type: "message",
    message: { user, text: "hi" },
    doubt: undefined,
  });

  test("is counted until it is selected, but for who is selected already", () => {
    const heard = [list(users), from("bob"), from("carol"), from("bob")];
    expect(after(...heard).session.inbox.unread).toEqual(
      new Map([
        ["bob", 2],
        ["carol", 1],
      ]),
    );
    const { session } = after(...heard, line(":user bob"), from("bob"));
    expect(session.inbox.unread).toEqual(new Map([["carol", 1]]));
  });

  test("last is selected by :reply", () => {
    expect(after(list(users), from("carol"), from("bob"), line(":reply")).session.selected).toBe("bob");
  });

  test("under a thousand names fills no memory", () => {
    const many = Array.from({ length: 1000 }, (_, i) => from(`user-${i}`));
    expect(after(...many).session.inbox.unread.size).toBe(100);
  });
});

test.each([
  ["bop", "did you mean :user bob?"],
  ["BOB", "did you mean :user bob?"],
  ["bbo", "did you mean :user bob?"],
  ["ali", "did you mean :user alice?"],
  ["xyz", ":update lists them all"],
  ["tom", ":update lists them all"],
])("a user %s, who is not there: %s", (name, hint) => {
  const hostile = new Map([...users, ["xyz\x1b", BOB]]);
  const { cmds } = after({ type: "list", users: hostile, purpose: { type: "select", user: name } });
  expect(cmds.at(-1)).toMatchObject({ output: { sentence: `no such user: ${name}; ${hint}` } });
});

test.each([
  [true, "bob", "your messages still go to bob"],
  [false, undefined, "nobody is selected now"],
])(
  "who cannot be selected leaves the selection as it was if a prompt shows it (%j), and what holds is told",
  (hasPrompt, selected, told) => {
    const [before] = update(after(list(users)).session, line(":user bob"));
    const missing: Msg = { type: "list", users, purpose: { type: "select", user: "xyz" } };
    const [session, cmds] = update({ ...before, hasPrompt }, missing);
    expect(session.selected).toBe(selected);
    expect(cmds.at(-1)).toMatchObject({
      output: { sentence: `no such user: xyz; :update lists them all (${told})` },
    });
  },
);

describe(":again", () => {
  const outcomeOf = (id: number, text: string, outcome: Outcome) => ({
    type: "outcome" as const,
    id,
    to: "bob",
    text,
    outcome,
  });
  const sent = (cmds: Cmd[]) => cmds.flatMap((cmd) => (cmd.type === "send" ? [[cmd.to, cmd.text]] : []));

  test("sends what a user did not get, in order; then what another did not", () => {
    const failed: Msg[] = [
      { ...outcomeOf(0, "zero", { type: "failed", reason: "refused" }), to: "carol" },
      outcomeOf(1, "one", { type: "failed", reason: "refused" }),
      outcomeOf(2, "two", { type: "unanswered", seconds: 5 }),
      outcomeOf(3, "three", { type: "delivered" }),
    ];
    const first = after(list(users), ...failed, line(":user alice"), line(":again"));
    expect(sent(first.cmds)).toEqual([
      ["bob", "one"],
      ["bob", "two"],
    ]);
    const [second, cmds] = update(first.session, line(":again"));
    expect(sent(cmds)).toEqual([["carol", "zero"]]);
    expect(update(second, line(":again"))[1]).toMatchObject([
      { output: { sentence: "there is nothing to send again" } },
    ]);
  });

  test("sends what was written to nobody to who is selected now, and keeps it if that is nobody", () => {
    const { session, cmds } = after(list(users), line("hello"), line("again"), line(":again"));
    expect(cmds).toMatchObject([{ output: { sentence: expect.stringMatching(/^nobody is selected/) } }]);
    const [selected] = update(session, line(":user bob"));
    expect(sent(update(selected, line(":again"))[1])).toEqual([
      ["bob", "hello"],
      ["bob", "again"],
    ]);
  });

  test.each([":again", ":again bob"])(
    "sends what was written to nobody by %j, though another text has failed since",
    (again) => {
      const failed: Outcome = { type: "failed", reason: "refused" };
      const typed = [line("hello"), line(":user bob"), line(":to carol,bob ok")];
      const { cmds } = after(
        list(users),
        ...typed,
        { ...outcomeOf(0, "ok", failed), to: "carol" },
        line(again),
      );
      expect(sent(cmds)).toContainEqual(["bob", "hello"]);
    },
  );

  test("with the name of a user who is not selected leaves what was written to nobody", () => {
    const typed = [line("hello"), line(":user bob"), line(":again alice"), line(":again")];
    expect(sent(after(list(users), ...typed.slice(0, 3)).cmds)).toEqual([]);
    expect(sent(after(list(users), ...typed).cmds)).toEqual([["bob", "hello"]]);
  });

  test("does not send what was written to nobody once another text has gone to who is selected", () => {
    const { cmds } = after(list(users), line("hello"), line(":user bob"), line("hello, bob"), line(":again"));
    expect(cmds).toMatchObject([{ output: { sentence: "there is nothing to send again" } }]);
  });
});

test(":exit leaves", () => {
  expect(after(line(":exit")).cmds).toEqual([{ type: "leave" }]);
});

describe("the list that comes by itself", () => {
  const CAROL = { protocol: "WEBSOCKET", host: "10.0.0.3", port: 8082 };
  const polled = (users: Users): Msg => ({ type: "list", users, purpose: { type: "poll" } });
  const away: Msg = { type: "noList", reason: "no registry", purpose: { type: "poll" } };

  /** What is printed. */
  const outputs = (cmds: Cmd[]) => cmds.flatMap((cmd) => (cmd.type === "print" ? [cmd.output] : []));

  test("is silent while nothing changes", () => {
    expect(after(list(users), polled(new Map(users))).cmds).toEqual([]);
  });

  test("tells who joined, left and moved, and only that", () => {
    const first = new Map([...users, ["dave", CAROL], ["eve", CAROL]]);
    const second = new Map([...users, ["carol", CAROL], ["dave", { ...CAROL, port: 1 }]]);
    expect(outputs(after(list(first), polled(second)).cmds)).toEqual([
      { type: "joined", user: "carol", address: CAROL },
      { type: "moved", user: "dave", address: { ...CAROL, port: 1 } },
      { type: "left", user: "eve", address: CAROL },
    ]);
  });

  test("says once that the selected user left", () => {
    const { session, cmds } = after(list(users), line(":user bob"), polled(new Map([["alice", ALICE]])));
    expect(outputs(cmds)).toEqual([{ type: "gone", user: "bob", address: BOB }]);
    expect(session.selected).toBeUndefined();
  });

  test("makes me register again when it has lost me", () => {
    const { cmds } = after(list(users), polled(new Map([["bob", BOB]])));
    expect(cmds).toEqual([{ type: "register" }]);
  });

  test("takes nobody for gone who was lost with me, until the list after that", () => {
    const empty = after(list(users), line(":user bob"), polled(new Map()));
    expect(empty.cmds).toEqual([{ type: "register" }]);
    expect(empty.session).toMatchObject({ selected: "bob", users });
    const [back, nothing] = update(empty.session, polled(new Map(users)));
    expect(nothing).toEqual([]);
    expect(back.selected).toBe("bob");
    const [, gone] = update(empty.session, polled(new Map([["alice", ALICE]])));
    expect(outputs(gone)).toEqual([{ type: "gone", user: "bob", address: BOB }]);
  });

  test("takes those for gone who are missing twice, though I am missing too", () => {
    const { session } = after(list(users), polled(new Map()));
    const [, cmds] = update(session, polled(new Map()));
    expect(outputs(cmds)).toEqual([{ type: "left", user: "bob", address: BOB }]);
    expect(cmds).toContainEqual({ type: "register" });
  });

  test("warns once when my name points elsewhere, and does not fight", () => {
    const taken = new Map([...users, ["alice", CAROL]]);
    const { session, cmds } = after(list(users), polled(taken));
    expect(cmds).toEqual([{ type: "print", output: { type: "displaced", me: "alice", address: CAROL } }]);
    expect(update(session, polled(taken))[1]).toEqual([]);
  });

  test("says one line when the registry goes, and one when it is back", () => {
    const gone = after(list(users), away);
    expect(outputs(gone.cmds)).toEqual([{ type: "registry", up: false }]);
    const still = update(gone.session, away);
    expect(still[1]).toEqual([]);
    expect(outputs(update(still[0], polled(users))[1])).toEqual([{ type: "registry", up: true }]);
  });

  test("leaves the known list as it is while the registry is away", () => {
    expect(after(list(users), line(":user bob"), away, line("hello")).cmds).toMatchObject([
      { output: { type: "sending", to: "bob" } },
      { type: "send", to: "bob" },
    ]);
  });
});

test.each([
  ["HTTP", "TCP"],
  ["WEBSOCKET", "TCP"],
  ["UDP", "UDP"],
] as const)("who receives over %s and cannot be reached is told to open a %s port", (protocol, transport) => {
  const session = startSession("alice", { ...ALICE, protocol });
  const found = { reached: false, reason: "no answer in 3 s", from: undefined };
  const [, cmds] = update(session, { type: "reach", found, asked: false });
  expect(JSON.stringify(cmds)).toContain(`open ${transport} port 8080`);
});
