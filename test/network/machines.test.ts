/** Clients on several machines: who is listed can be reached by others, or is told that he cannot. */
import { describe, expect, test } from "bun:test";
import { PROTOCOLS } from "../../src/core/protocol.ts";
import type { Protocol } from "../../src/core/schemas.ts";
import { faults } from "../fixtures/faulty-registry.ts";
import { type Machine, noNetwork, openNetwork } from "../helpers/network.ts";
import type { Program } from "../helpers/program.ts";

const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];
const A = "10.77.0.1";
const B = "10.77.0.2";
const C = "10.77.0.3";

async function registryOn(machine: Machine, host = "0.0.0.0") {
  const program = machine.start("src/registry/main.ts", "--host", host, "--store", "memory:");
  await program.sees(/^registry at/);
  return program;
}

async function clientOn(machine: Machine, name: string, ...args: string[]): Promise<Program> {
  const client = machine.start("src/client/main.ts", "--name", name, ...args);
  await client.sees(/\(you\)$/);
  return client;
}

/** The client's own line of its list. */
function ownLine(client: Program): string | undefined {
  return client.lines.find((line) => line.endsWith("(you)"));
}

function send(machine: Machine, to: string, text: string, registry: string) {
  return machine.run(
    process.execPath,
    "src/client/send.ts",
    "--to",
    to,
    "--name",
    "dave",
    "--registry",
    registry,
    text,
  );
}

const remote = ["--registry", `http://${A}:8088`];

describe.skipIf(noNetwork !== undefined)("on several machines", () => {
  test("a registry that lets others in prints what they can type", async () => {
    const a = openNetwork().machine(A);
    const registry = await registryOn(a);
    await registry.sees("also at http://127.0.0.1:8088, on this machine");
    expect(registry.lines[0]).toBe(`registry at http://${A}:8088, API docs at http://${A}:8088/swagger`);
    expect(registry.lines.join("\n")).not.toContain("0.0.0.0");
  });

  test.each(protocols)(
    "a client beside the registry is reached from another machine over %s",
    async (protocol) => {
      const network = openNetwork();
      const [a, b] = [network.machine(A), network.machine(B)];
      await registryOn(a);
      const alice = await clientOn(a, "alice", "--protocol", protocol);
      const { scheme, defaultPort } = PROTOCOLS[protocol];
      expect(ownLine(alice)).toBe(`alice  ${scheme}://${A}:${defaultPort}  (you)`);
      const sent = send(b, "alice", "hello from b", `http://${A}:8088`);
      expect(sent.exitCode).toBe(protocol === "UDP" ? 3 : 0);
      await alice.sees("dave: hello from b");
      expect(alice.lines.join("\n")).not.toContain("warning");
    },
  );

  test.each(protocols)(
    "who is listed on another machine's loopback is never sent a text over %s",
    async (protocol) => {
      const network = openNetwork();
      const [a, b] = [network.machine(A), network.machine(B)];
      await registryOn(a);
      const { defaultPort } = PROTOCOLS[protocol];
      const alice = await clientOn(a, "alice", "--protocol", protocol, "--host", "127.0.0.1");
      // Carol listens on B's own loopback, where alice's address leads from there.
      const carol = await clientOn(b, "carol", "--protocol", protocol, "--host", "127.0.0.1", ...remote);
      const bob = await clientOn(b, "bob", ...remote);
      expect(ownLine(alice)).toContain(`127.0.0.1:${defaultPort}`);
      // What the registry lists of carol is what leads to her machine, and she is told that nobody gets there.
      expect(ownLine(carol)).toContain(`${B}:${defaultPort}`);
      expect(await carol.sees(/^warning: others may not reach you/)).toContain(`port ${defaultPort}`);
      const sent = send(b, "alice", "secret", `http://${A}:8088`);
      expect([sent.exitCode, sent.stderr]).toEqual([
        1,
        "error: not delivered to alice: registered at 127.0.0.1, which only their own machine can reach; they should start with --host <their address>\n",
      ]);
      bob.type(":user alice", "secret");
      await bob.sees(/^error: not delivered to alice: registered at 127\.0\.0\.1, which only/);
      for (const client of [alice, carol, bob]) expect(client.lines.join("\n")).not.toMatch(/: secret/);
    },
  );

  test.each(protocols)(
    "a name that leads to one's own loopback is never sent a text over %s, by client, send or program",
    async (protocol) => {
      const network = openNetwork();
      const [a, b] = [network.machine(A), network.machine(B, { hosts: "127.0.0.1 localhost pc.test\n" })];
      await registryOn(a);
      const { defaultPort: port } = PROTOCOLS[protocol];
      const carol = await clientOn(b, "carol", "--protocol", protocol, "--host", "127.0.0.1", ...remote);
      const body = JSON.stringify({ protocol, host: "pc.test", port });
      const put = `await fetch("http://${A}:8088/v1/users/alice", { method: "PUT", headers: { "content-type": "application/json" }, body: '${body}' })`;
      a.run(process.execPath, "-e", put);
      const bob = await clientOn(b, "bob", "--protocol", protocol, "--port", "0", ...remote);
      const refusal = "registered at pc.test, which only their own machine can reach";
      bob.type(":user alice", "secret");
      await bob.sees(new RegExp(`^error: not delivered to alice: ${refusal}`));
      const sent = send(b, "alice", "secret", `http://${A}:8088`);
      expect([sent.exitCode, sent.stderr]).toEqual([1, expect.stringContaining(refusal)]);
      const program = `
        import { join } from "talk/client";
        const me = await join({ name: "eve", protocol: "${protocol}", port: 0, registry: "http://${A}:8088" });
        console.log(JSON.stringify(await me.send("alice", "secret")));
        await me.close();
      `;
      const report = JSON.parse(b.run(process.execPath, "-e", program).stdout);
      expect(report).toEqual({ type: "failed", reason: expect.stringContaining(refusal) });
      expect(carol.lines.join("\n")).not.toContain("secret");
    },
  );

  describe.each([
    ["refuses", [] as string[], protocols],
    // Nobody can know of a datagram that vanishes.
    ["answers nothing", ["iptables", "-A", "INPUT", "-i", "eth0", "-j", "DROP"], protocols.slice(0, 2)],
  ])("a name with two addresses, one of which %s,", (_, firewall, over) => {
    const orders = [
      [B, C],
      [C, B],
    ];
    const cases = over.flatMap((protocol) => orders.map((order) => [protocol, order] as const));
    test.each(cases)("leads to the other one over %s, in the order %j", async (protocol, order) => {
      const network = openNetwork();
      const hosts = `127.0.0.1 localhost\n${order.map((ip) => `${ip} two.test\n`).join("")}`;
      const [a, b, c] = [network.machine(A, { hosts }), network.machine(B), network.machine(C)];
      await registryOn(a);
      if (firewall.length > 0) b.run(...firewall);
      const carol = await clientOn(c, "carol", "--protocol", protocol, ...remote);
      const address = { protocol, host: "two.test", port: PROTOCOLS[protocol].defaultPort };
      const put = `await fetch("http://127.0.0.1:8088/v1/users/both", { method: "PUT", headers: { "content-type": "application/json" }, body: '${JSON.stringify(address)}' })`;
      a.run(process.execPath, "-e", put);
      const sent = send(a, "both", "hello", `http://${A}:8088`);
      expect(sent.exitCode).toBe(protocol === "UDP" ? 3 : 0);
      await carol.sees("dave: hello");
      expect(carol.lines.filter((line) => line === "dave: hello")).toHaveLength(1);
    });
  });

  test.each(protocols)(
    "the registry keeps a user on %s whose name leads to an address that answers nothing, and to his own",
    async (protocol) => {
      const network = openNetwork();
      const hosts = `127.0.0.1 localhost\n${B} two.test\n${C} two.test\n`;
      const [a, b, c] = [network.machine(A, { hosts }), network.machine(B), network.machine(C)];
      const often = ["--check-interval", "0.5", "--check-window", "3"];
      const registry = a.start("src/registry/main.ts", "--host", "0.0.0.0", "--store", "memory:", ...often);
      await registry.sees(/^registry at/);
      b.run("iptables", "-A", "INPUT", "-i", "eth0", "-j", "DROP");
      const carol = await clientOn(c, "carol", "--protocol", protocol, ...remote);
      const address = { protocol, host: "two.test", port: PROTOCOLS[protocol].defaultPort };
      const put = `await fetch("http://127.0.0.1:8088/v1/users/both", { method: "PUT", headers: { "content-type": "application/json" }, body: '${JSON.stringify(address)}' })`;
      a.run(process.execPath, "-e", put);
      for (let i = 0; i < 3; i++) await registry.sees(/ checked 2 users in /);
      carol.type(":update");
      await carol.sees(/^both /);
      expect(registry.lines.join("\n")).not.toContain("removed");
    },
  );

  test.each([
    ["of Talk", "src/registry/main.ts", ["--host", "0.0.0.0", "--store", "memory:"], 0],
    ["of another make", "test/fixtures/faulty-registry.ts", [], 0],
    ["that keeps it", "test/fixtures/faulty-registry.ts", ["another machine's loopback stays"], 1],
  ])(
    "what a registry %s makes of another machine's loopback is seen by conformance",
    async (_, main, args, exitCode) => {
      const network = openNetwork();
      const [a, b] = [network.machine(A), network.machine(B)];
      await a.start(main, ...args).sees(/listening|^registry at/);
      const check = ["scripts/conformance/main.ts", "--registry", `http://${A}:8088`, "--json", "--strict"];
      const { stdout, ...done } = b.run(process.execPath, ...check);
      const rows: { name: string; result: string }[] = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(rows.filter(({ result }) => result === "failed").map(({ name }) => name)).toEqual(
        exitCode === 0 ? [] : [faults["another machine's loopback stays"]],
      );
      expect(done.exitCode).toBe(exitCode);
    },
  );

  test("a loopback host sent from another machine is stored as that machine's address", async () => {
    const network = openNetwork();
    const [a, b] = [network.machine(A), network.machine(B)];
    await registryOn(a);
    const put = `await fetch("http://${A}:8088/v1/users/bob", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ protocol: "HTTP", host: "localhost", port: 8080 }) })`;
    const list = `console.log(await (await fetch("http://${A}:8088/v1/users/bob")).text())`;
    b.run(process.execPath, "-e", put);
    expect(JSON.parse(b.run(process.execPath, "-e", list).stdout)).toEqual({
      protocol: "HTTP",
      host: B,
      port: 8080,
    });
    a.run(process.execPath, "-e", put);
    expect(JSON.parse(b.run(process.execPath, "-e", list).stdout).host).toBe("localhost");
  });

  test("a name that another machine registers leads neither registry nor clients to their own loopback", async () => {
    const network = openNetwork();
    const a = network.machine(A, { hosts: "127.0.0.1 localhost\n127.0.0.1 rebound.example\n" });
    const b = network.machine(B);
    await registryOn(a);
    // It would take whatever comes, on the registry's machine.
    const trap = a.start("test/fixtures/trap.ts");
    const port = Number(/\d+/.exec(await trap.sees(/^listening/))?.[0]);
    const put = (host: string) =>
      `console.log((await fetch("http://${A}:8088/v1/users/bob", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ protocol: "HTTP", host: "${host}", port: ${port} }) })).status)`;
    const on = (machine: Machine, code: string) => machine.run(process.execPath, "-e", code).stdout.trim();
    for (const host of ["0x7f000001", "127.0.0.0x1", "0x7f.0.0.0x1"]) expect(on(b, put(host))).toBe("400");
    expect(on(b, put("rebound.example"))).toBe("200");
    const ask = `console.log(await (await fetch("http://${A}:8088/v1/users/bob/reach", { method: "POST" })).text())`;
    expect(JSON.parse(on(b, ask))).toMatchObject({
      reached: "no",
      reason: "the registry never contacts its address",
    });
    for (const registry of [`http://${A}:8088`, "http://127.0.0.1:8088"]) {
      expect(send(a, "bob", "secret", registry).stderr).toContain(
        "registered at rebound.example, which only their own machine can reach",
      );
    }
    expect(trap.lines.filter((line) => line.startsWith("visited"))).toEqual([]);
    // Who registers there from the machine itself is reached.
    expect(on(a, put("localhost").replaceAll("bob", "carol"))).toBe("200");
    expect(send(a, "carol", "hi", "http://127.0.0.1:8088").stdout).toBe("delivered to carol\n");
    await trap.sees("visited /v1/message");
  });

  test.each(protocols)(
    "who is behind a NAT is told so once, with the port and what helps, on %s",
    async (protocol) => {
      const network = openNetwork();
      const a = network.machine(A);
      const inside = network.behindNat("192.168.5.2", "10.77.0.9");
      await registryOn(a);
      const client = await clientOn(inside, "nat", "--protocol", protocol, ...remote);
      const warning = await client.sees(/^warning: others may not reach you/);
      const { scheme, defaultPort } = PROTOCOLS[protocol];
      expect(warning).toContain(`${scheme}://192.168.5.2:${defaultPort} over ${protocol}: the registry`);
      expect(warning).toContain(`open ${protocol === "UDP" ? "UDP" : "TCP"} port ${defaultPort};`);
      for (const cure of ["--public-url", "--host", ":reach"]) expect(warning).toContain(cure);
    },
  );

  test("a firewall that is opened is found open by :reach", async () => {
    const network = openNetwork();
    const [a, b] = [network.machine(A), network.machine(B)];
    await registryOn(a);
    b.run(..."iptables -A INPUT -p tcp --dport 8080 -j DROP".split(" "));
    const bob = await clientOn(b, "bob", ...remote);
    expect(await bob.sees(/^warning: others may not reach you/)).toContain("no answer");
    b.run("iptables", "-F");
    // Asked again at once, the registry may want its 5 s.
    for (let answer = ""; !answer.startsWith("the registry reaches"); ) {
      bob.type(":reach");
      answer = await bob.sees(/^the registry reaches|^error: /);
      if (answer.startsWith("error")) await Bun.sleep(500);
    }
    expect(bob.lines.at(-1)).toBe(`the registry reaches you at http://${B}:8080 from ${A}`);
  });

  test("the address is of the family that reached the registry, where its name has one that does not", async () => {
    const network = openNetwork();
    const a = network.machine(A);
    const b = network.machine(B, { hosts: `127.0.0.1 localhost\nfd77::1 reg.test\n${A} reg.test\n` });
    b.run(..."ip addr add fd77::2/64 dev eth0 nodad".split(" "));
    await registryOn(a);
    const bob = await clientOn(b, "bob", "--registry", "http://reg.test:8088");
    expect(ownLine(bob)).toBe(`bob  http://${B}:8080  (you)`);
  });

  test.each(protocols)(
    "a --host that leads to loopback is listened on where the registry is reached, on %s",
    async (protocol) => {
      const network = openNetwork();
      const [a, b] = [
        network.machine(A),
        network.machine(C, { hosts: "127.0.0.1 localhost\n127.0.1.1 pc3\n" }),
      ];
      await registryOn(a);
      const bob = await clientOn(b, "bob", "--host", "pc3", "--protocol", protocol, ...remote);
      expect(ownLine(bob)).toContain(`://${C}:${PROTOCOLS[protocol].defaultPort} `);
      await bob.sees(
        `warning: pc3 is 127.0.1.1 on this machine, where nobody else reaches you, so you listen on ${C}`,
      );
      send(a, "bob", "hello", `http://${A}:8088`);
      await bob.sees("dave: hello");
    },
  );

  test("100 texts to each of three machines reach the right user, and nobody else", async () => {
    const network = openNetwork();
    const machines = [network.machine(A), network.machine(B), network.machine(C)];
    const [a, b, c] = machines;
    if (!a || !b || !c) throw new Error("three machines");
    await registryOn(a);
    const users = {
      alice: await clientOn(a, "alice", "--protocol", "HTTP"),
      bob: await clientOn(b, "bob", "--protocol", "WEBSOCKET", ...remote),
      carol: await clientOn(c, "carol", "--protocol", "UDP", ...remote),
    };
    await textEverybody(users, 50);
    for (const client of Object.values(users)) {
      expect(client.lines.filter((line) => /^(warning|error)/.test(line))).toEqual([]);
    }
  });

  test("three clients whose addresses change are reached again under their names, and no text goes astray", async () => {
    const network = openNetwork();
    const [a, b, c, d] = [A, B, C, "10.77.0.4"].map((ip) => network.machine(ip));
    if (!a || !b || !c || !d) throw new Error("four machines");
    await registryOn(a);
    const users = {
      bob: await clientOn(b, "bob", "--protocol", "HTTP", ...remote),
      carol: await clientOn(c, "carol", "--protocol", "WEBSOCKET", ...remote),
      dora: await clientOn(d, "dora", "--protocol", "UDP", ...remote),
    };
    b.readdress("10.77.0.12");
    c.readdress("10.77.0.13");
    d.readdress("10.77.0.14");
    const changed = performance.now();
    await users.bob.sees("you are at http://10.77.0.12:8080 now, and the registry knows");
    await users.carol.sees("you are at ws://10.77.0.13:8082 now, and the registry knows");
    await users.dora.sees("you are at udp://10.77.0.14:3000 now, and the registry knows");
    expect(performance.now() - changed).toBeLessThan(15_000);
    for (const user of Object.keys(users)) send(a, user, `news for ${user}`, `http://${A}:8088`);
    for (const [user, client] of Object.entries(users)) await client.sees(`dave: news for ${user}`);
    for (const client of Object.values(users)) client.type(":update");
    for (const client of Object.values(users)) await client.sees(/^dora {2}udp:\/\/10\.77\.0\.14:3000/);
    await textEverybody(users, 20);
  });

  test("offline, all is on loopback, nobody is warned, and no name server is asked", async () => {
    const network = openNetwork();
    const alone = network.machine(A, { "resolv.conf": "nameserver 127.0.0.53\n" });
    alone.run(..."ip link del eth0".split(" "));
    const nameServer = alone.start("test/fixtures/name-server.ts");
    await nameServer.sees("listening");
    await registryOn(alone);
    const alice = await clientOn(alone, "alice");
    const bob = await clientOn(alone, "bob");
    expect(ownLine(alice)).toBe("alice  http://127.0.0.1:8080  (you)");
    bob.type(":user alice", "hello");
    await alice.sees("bob: hello");
    expect([...alice.lines, ...bob.lines].filter((line) => line.startsWith("warning"))).toEqual([]);
    // It would tell of a question: this one comes through.
    alone.run(process.execPath, "-e", 'await require("node:dns/promises").lookup("talk.test")');
    await nameServer.sees("asked for talk");
    expect(nameServer.lines.filter((line) => !line.includes("talk")).slice(1)).toEqual([]);
  });
});

/** Everybody writes so many texts to everybody else; each is to be read where it was meant to go, once, and nowhere else. */
async function textEverybody(users: Record<string, Program>, count: number): Promise<void> {
  const names = Object.keys(users);
  for (const [from, client] of Object.entries(users)) {
    client.type(":update");
    await client.sees(/\(you\)$/);
    for (const to of names.filter((name) => name !== from)) {
      client.type(
        `:user ${to}`,
        ...Array.from({ length: count }, (_, i) => `text ${i} of ${from} for ${to}`),
      );
    }
  }
  for (const [to, client] of Object.entries(users)) {
    const got = () => client.lines.filter((line) => line.includes(": text "));
    const wanted = count * (names.length - 1);
    while (got().length < wanted) await client.sees(/: text /);
    for (const line of got()) expect(line).toMatch(new RegExp(` for ${to}$`));
    expect(new Set(got()).size).toBe(wanted);
  }
  for (const client of Object.values(users)) {
    expect(client.lines.filter((line) => line.includes(": text "))).toHaveLength(count * (names.length - 1));
  }
}
