/** A registry under check, with throw-away users that are removed in the end. */
import { hostOf, resolveHost } from "../../src/core/address.ts";
import { isOwnAddress } from "../../src/core/own-addresses.ts";
import { REGISTRY_PATHS } from "../../src/core/protocol.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { localAddressTowards } from "../../src/core/udp.ts";
import { type Changes, openChanges } from "./changes.ts";
import { type Checks, watchChecks } from "./checks.ts";
import { type Answer, ask } from "./http.ts";
import { NotChecked } from "./row.ts";

/** An address of the block for documentation (RFC 5737): nobody is there. */
export const NOWHERE = { protocol: "UDP", host: "192.0.2.1", port: 3000 };

/** How long all the asking may take, beside waiting for checks, and then the cleaning up, in milliseconds. */
const ASKING_MS = 15_000;
const CLEANING_MS = 2000;

export interface Registry {
  /** A name that nobody has; it is removed in the end. @param ending of legal characters */
  newName(ending?: string): string;
  /** @param path what stands behind `/v1/users`. @throws Mismatch; NotChecked if there is no time left */
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Registers by POST, with the name in the field that this registry knows. */
  post(name: string, address: object, path?: string): Promise<Answer>;
  /** The entry of a user in the list, undefined if there is none. @throws Mismatch if there is no list */
  listed(user: string): Promise<{ entry: unknown; answer: Answer }>;
  /** The field of a POST in which this registry takes the name, and its answer to `user`. */
  nameField(): Promise<{ field: "user" | "name"; answer: Answer }>;
  /** What stands behind `/v1/users` in the path of the list that this registry knows, and its answer to the slash. */
  listPath(): Promise<{ path: "/" | ""; answer: Answer }>;
  /** Whether it is on this machine, and the address of this machine from which it is asked. */
  isHere(): Promise<boolean>;
  ownAddress(): Promise<string>;
  /** The stream of changes. @throws NotChecked where there is none */
  changes(): Promise<Changes>;
  /** What the registry does to find out whether its users are there. @throws NotChecked if nobody waits for it */
  checks(): Promise<Checks>;
  /** Removes all that was registered, within 2 s. */
  cleanUp(): Promise<void>;
}

/** @param wait milliseconds within which each user should have been checked; 0 leaves that out */
export function openRegistry(url: string, wait: number): Registry {
  const users = url.replace(/\/+$/, "") + REGISTRY_PATHS.users;
  // Letters and digits alone: some registries take no others.
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
      if (left <= 0) throw new NotChecked("the registry takes so long to answer that there is no time left");
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
      // One that is not there any more, or never was, does no harm.
      await Promise.all(
        names.map((name) => ask("DELETE", `${users}/${name}`, undefined, CLEANING_MS).catch(() => {})),
      );
    },
  };

  /** As clients do: who does not take `user` is asked once more with `name`. */
  async function findNameField(): ReturnType<Registry["nameField"]> {
    const answer = await registry.ask("POST", "", { user: registry.newName(), address: NOWHERE });
    if (answer.status < 400) return { field: "user", answer };
    const again = await registry.ask("POST", "", { name: registry.newName(), address: NOWHERE });
    return { field: again.status < 300 ? "name" : "user", answer };
  }

  /** As clients do: the path without the slash is asked where the other is not found. */
  async function findListPath(): ReturnType<Registry["listPath"]> {
    const answer = await registry.ask("GET", "/");
    if (answer.status !== 404) return { path: "/", answer };
    const again = await registry.ask("GET", "");
    return { path: again.status === 200 ? "" : "/", answer };
  }

  return registry;
}
