/** What every registry must do. */
import { isRecord } from "../../src/core/schemas.ts";
import type { Answer } from "./http.ts";
import { NOWHERE, type Registry } from "./registry.ts";
import { NotChecked, type Row } from "./row.ts";

const ELSEWHERE = { protocol: "HTTP", host: "192.0.2.2", port: 8080 };

/** To other machines, these hosts mean themselves. */
const LOOPBACK = ["127.0.0.1", "localhost", "::1"];

/** Invalid names, each for a different reason. */
const BAD_NAMES = ["", "a b", "é", "a/b", "a@b", "a\n"];

export const registryRows: Row<Registry>[] = [
  {
    name: "POST /v1/users takes the name in the field user",
    async check(registry) {
      const { field, answer } = await registry.nameField();
      if (field !== "user") answer.instead("a 2xx, as with the field name");
    },
  },
  {
    name: "GET and POST work with a trailing slash, at /v1/users/",
    async check(registry) {
      const { path, answer } = await registry.listPath();
      if (path !== "/") answer.instead("200, as without the slash");
      const user = registry.newName();
      expectOk(await registry.post(user, NOWHERE, "/"));
      await expectListed(registry, user, NOWHERE);
    },
  },
  {
    name: 'POST /v1/users registers a user: 200 {"status":"ok"}',
    async check(registry) {
      const user = registry.newName();
      expectOk(await registry.post(user, NOWHERE));
      await expectListed(registry, user, NOWHERE);
    },
  },
  {
    name: "POST of a name that exists: 409",
    async check(registry) {
      const user = registry.newName();
      await registry.post(user, NOWHERE);
      const answer = await registry.post(user, ELSEWHERE);
      if (answer.status !== 409) answer.instead("409");
    },
  },
  {
    name: "POST of a name that exists changes nothing",
    async check(registry) {
      const user = registry.newName();
      await registry.post(user, NOWHERE);
      await registry.post(user, ELSEWHERE);
      await expectListed(registry, user, NOWHERE);
    },
  },
  ...BAD_NAMES.map((bad) => ({
    name: `POST of the bad name ${JSON.stringify(bad)}: 400`,
    async check(registry: Registry) {
      const answer = await registry.post(bad, NOWHERE);
      if (answer.status < 300) await registry.ask("DELETE", `/${encodeURIComponent(bad)}`);
      if (answer.status !== 400) answer.instead("400");
    },
  })),
  {
    name: 'a name may have letters, digits, "-", "_" and "."',
    async check(registry) {
      const user = registry.newName("-aZ_09.");
      expectOk(await registry.post(user, NOWHERE));
      await expectListed(registry, user, NOWHERE);
    },
  },
  ...["HTTP", "WEBSOCKET", "UDP"].map((protocol) => ({
    name: `a user may listen on ${protocol}`,
    async check(registry: Registry) {
      const user = registry.newName();
      const address = { ...NOWHERE, protocol };
      expectOk(await registry.post(user, address));
      await expectListed(registry, user, address);
    },
  })),
  {
    name: 'PUT /v1/users/{user} moves a user: 200 {"status":"ok"}',
    async check(registry) {
      const user = registry.newName();
      await registry.post(user, NOWHERE);
      expectOk(await registry.ask("PUT", `/${user}`, ELSEWHERE));
      await expectListed(registry, user, ELSEWHERE);
    },
  },
  {
    name: "PUT creates a user who is missing",
    async check(registry) {
      const user = registry.newName();
      expectOk(await registry.ask("PUT", `/${user}`, NOWHERE));
      await expectListed(registry, user, NOWHERE);
    },
  },
  ...["a b", "é", "a@b"].map((bad) => ({
    name: `PUT of the bad name ${JSON.stringify(bad)}: 400`,
    async check(registry: Registry) {
      const path = `/${encodeURIComponent(bad)}`;
      const answer = await registry.ask("PUT", path, NOWHERE);
      if (answer.status < 300) await registry.ask("DELETE", path);
      if (answer.status !== 400) answer.instead("400");
    },
  })),
  {
    name: "GET /v1/users/ lists each user with exactly protocol, host and port, the port a number",
    async check(registry) {
      const user = registry.newName();
      await registry.post(user, NOWHERE);
      const { entry, answer } = await registry.listed(user);
      if (!isRecord(entry)) return answer.instead(`${user} in the list`);
      const keys = Object.keys(entry).sort().join(" ");
      if (keys !== "host port protocol") answer.instead("exactly the keys protocol, host and port");
      if (typeof entry.port !== "number") answer.instead("a port that is a number");
    },
  },
  {
    name: "GET /v1/users lists the same",
    async check(registry) {
      const user = registry.newName();
      await registry.post(user, NOWHERE);
      const { entry, answer } = await listedAt(registry, user, "");
      if (!sameFields(entry, NOWHERE)) answer.instead(`${user} in the list, at ${JSON.stringify(NOWHERE)}`);
    },
  },
  {
    name: 'DELETE /v1/users/{user} removes a user: 200 {"status":"ok"}',
    async check(registry) {
      const user = registry.newName();
      await registry.post(user, NOWHERE);
      expectOk(await registry.ask("DELETE", `/${user}`));
      const { entry, answer } = await registry.listed(user);
      if (entry !== undefined) answer.instead(`a list without ${user}`);
    },
  },
  {
    name: 'DELETE of a user who is not there: 200 {"status":"ok"}',
    async check(registry) {
      expectOk(await registry.ask("DELETE", `/${registry.newName()}`));
    },
  },
  {
    ours: true,
    name: "the host 0.0.0.0 is stored as the address that the request came from",
    async check(registry) {
      const own = await registry.ownAddress();
      for (const host of ["0.0.0.0", "::"]) await expectStored(registry, host, own);
    },
  },
  {
    ours: true,
    name: "a loopback host sent from this machine is stored unchanged",
    async check(registry) {
      if (!(await registry.isHere())) throw new NotChecked("the registry is on another machine");
      for (const host of LOOPBACK) await expectStored(registry, host, host);
    },
  },
  {
    ours: true,
    name: "a loopback host sent from another machine is stored as the address that the request came from",
    async check(registry) {
      if (await registry.isHere())
        throw new NotChecked("the registry is on this machine; run it on another one");
      const own = await registry.ownAddress();
      for (const host of LOOPBACK) await expectStored(registry, host, own);
    },
  },
  {
    ours: true,
    name: "GET /v1/events begins with the list, and reports who joins and leaves",
    async check(registry) {
      const stream = await registry.changes();
      try {
        await stream.expect("users", () => true);
        const user = registry.newName();
        await registry.post(user, NOWHERE);
        await stream.expect("joined", (told) => told.user === user && sameFields(told.address, NOWHERE));
        await registry.ask("DELETE", `/${user}`);
        await stream.expect("left", (told) => told.user === user);
      } finally {
        stream.close();
      }
    },
  },
  {
    name: "checks each user every 2–3 minutes",
    check: async (registry) => (await registry.checks()).expectInterval(),
  },
  {
    name: "checks a user on HTTP by GET /v1/health",
    check: async (registry) => (await registry.checks()).expectHttp(),
  },
  {
    name: "checks a user on WEBSOCKET by connecting to its port",
    check: async (registry) => (await registry.checks()).expectWebSocket(),
  },
  {
    name: "checks a user on UDP by a datagram with an id and a reply address",
    check: async (registry) => (await registry.checks()).expectUdp(),
  },
  {
    name: "keeps users who answer",
    check: async (registry) => (await registry.checks()).expectKept(),
  },
  {
    name: "removes a user who does not answer",
    check: async (registry) => (await registry.checks()).expectRemoved(),
  },
];

function expectOk(answer: Answer): void {
  if (answer.status !== 200 || !isRecord(answer.json) || answer.json.status !== "ok") {
    answer.instead('200 {"status":"ok"}');
  }
}

/** A user's entry in the list at one path. */
async function listedAt(registry: Registry, user: string, path: string) {
  const answer = await registry.ask("GET", path);
  const { json } = answer;
  return { entry: isRecord(json) && Object.hasOwn(json, user) ? json[user] : undefined, answer };
}

/** Ignores further fields, which another row checks. */
async function expectListed(registry: Registry, user: string, address: object): Promise<void> {
  const { entry, answer } = await registry.listed(user);
  if (!sameFields(entry, address)) answer.instead(`${user} in the list, at ${JSON.stringify(address)}`);
}

/** Registers a user at a host, and checks which host was stored. */
async function expectStored(registry: Registry, host: string, expected: string): Promise<void> {
  const user = registry.newName();
  expectOk(await registry.post(user, { ...NOWHERE, host }));
  const { entry, answer } = await registry.listed(user);
  const stored = isRecord(entry) ? String(entry.host) : "";
  if (stored !== expected) answer.instead(`the host ${expected} in place of ${host}`);
}

function sameFields(entry: unknown, address: object): boolean {
  return (
    isRecord(entry) && Object.entries(address).every(([key, value]) => String(entry[key]) === String(value))
  );
}
