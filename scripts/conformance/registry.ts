/** A registry under test, with temporary users that are removed at the end. */
import { hostOf, resolveHost } from "../../src/core/address.ts";
import { isOwnAddress } from "../../src/core/own-addresses.ts";
import { REGISTRY_PATHS } from "../../src/core/protocol.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { localAddressTowards } from "../../src/core/udp-socket.ts";
import { type Changes, openChanges } from "./changes.ts";
import { type Checks, watchChecks } from "./checks.ts";
import { type Answer, ask } from "./http.ts";
import { NotChecked } from "./row.ts";

/** A documentation address (RFC 5737), which nobody uses. */
export const NOWHERE = { protocol: "UDP", host: "192.0.2.1", port: 3000 };

/** How long all requests may take, not counting the wait for checks, and how long cleaning up, in milliseconds. */
const ASKING_MS = 15_000;
const CLEANING_MS = 2000;

export interface Registry {
  /** A fresh name, removed at the end. @param ending valid characters to append */
  newName(ending?: string): string;
  /** @param path appended to `/v1/users`. @throws Mismatch; NotChecked if there is no time left */
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Registers by POST, with the name in the field that this registry accepts. */
  post(name: string, address: object, path?: string): Promise<Answer>;
  /** A user's entry in the list, undefined if there is none. @throws Mismatch if there is no list */
  listed(user: string): Promise<{ entry: unknown; answer: Answer }>;
  /** The field of a POST in which this registry accepts the name, and its answer to `user`. */
  nameField(): Promise<{ field: "user" | "name"; answer: Answer }>;
  /** What this registry needs after `/v1/users` in the path of the list, and its answer to the slash. */
  listPath(): Promise<{ path: "/" | ""; answer: Answer }>;
  /** Whether it runs on this machine. */
  isHere(): Promise<boolean>;
  /** This machine's address on the route to it. */
  ownAddress(): Promise<string>;
  /** The event stream. @throws NotChecked if there is none */
  changes(): Promise<Changes>;
  /** How the registry checks its users. @throws NotChecked without --wait */
  checks(): Promise<Checks>;
  /** Removes all registered users, within 2 s. */
  cleanUp(): Promise<void>;
}

/** @param wait how long to wait for the registry to check its users, in milliseconds; 0 skips that */
export function openRegistry(url: string, wait: number): Registry {
  const users = url.replace(/\/+$/, "") + REGISTRY_PATHS.users;
  // Letters and digits only, because some registries accept no others.
  const run = `conformance${crypto.randomUUID().slice(0, 8)}`;
  const names: string[] = [];
  const deadline = performance.now() + ASKING_MS + wait;
  let field: ReturnType<Registry["nameField"]> | undefined;
  let path: ReturnType<Registry["listPath"]> | undefined;
  let checks: Promise<Checks> | undefined;

  const registry: Registry = {
    newName(ending = "") {
      const name = `${run}x${names.length}${ending}`;
      names.push(name);
      return name;
    },
    ask(method, path, body) {
      const left = deadline - performance.now();
      if (left <= 0) throw new NotChecked("the registry is so slow that there is no time left");
      return ask(method, users + path, body, left);
    },
    async post(name, address, path = "") {
      const { field } = await registry.nameField();
      return registry.ask("POST", path, { [field]: name, address });
    },
    async listed(user) {
      const { path } = await registry.listPath();
      const answer = await registry.ask("GET", path);
      if (answer.status !== 200 || !isRecord(answer.json))
        return answer.instead("200 and an object of users");
      return { entry: Object.hasOwn(answer.json, user) ? answer.json[user] : undefined, answer };
    },
    nameField() {
      field ??= findNameField();
      return field;
    },
    listPath() {
      path ??= findListPath();
      return path;
    },
    async isHere() {
      return (await resolveHost(hostOf(url))).every(isOwnAddress);
    },
    ownAddress: () => localAddressTowards(hostOf(url)),
    changes: () => openChanges(url),
    checks() {
      checks ??= watchChecks(registry, hostOf(url), wait);
      return checks;
    },
    async cleanUp() {
      // Deleting a missing user does no harm.
      await Promise.all(
        names.map((name) => ask("DELETE", `${users}/${name}`, undefined, CLEANING_MS).catch(() => {})),
      );
    },
  };

  /** Like clients: tries `user`, then `name`. */
  async function findNameField(): ReturnType<Registry["nameField"]> {
    const answer = await registry.ask("POST", "", { user: registry.newName(), address: NOWHERE });
    if (answer.status < 400) return { field: "user", answer };
    const again = await registry.ask("POST", "", { name: registry.newName(), address: NOWHERE });
    return { field: again.status < 300 ? "name" : "user", answer };
  }

  /** Like clients: tries the path with the slash, then without. */
  async function findListPath(): ReturnType<Registry["listPath"]> {
    const answer = await registry.ask("GET", "/");
    if (answer.status !== 404) return { path: "/", answer };
    const again = await registry.ask("GET", "");
    return { path: again.status === 200 ? "" : "/", answer };
  }

  return registry;
}
