/** A registry under check, with throw-away users that are removed in the end. */
import { hostOf } from "../../src/core/address.ts";
import { REGISTRY_PATHS } from "../../src/core/protocol.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { type Checks, watchChecks } from "./checks.ts";
import { type Answer, ask } from "./http.ts";

/** An address of the block for documentation (RFC 5737): nobody is there. */
export const NOWHERE = { protocol: "UDP", host: "192.0.2.1", port: 3000 };

export interface Registry {
  /** A name that nobody has; it is removed in the end. @param ending of legal characters */
  newName(ending?: string): string;
  /** @param path what stands behind `/v1/users` */
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The entry of a user in the list, undefined if there is none. @throws Mismatch if there is no list */
  listed(user: string, path?: string): Promise<{ entry: unknown; answer: Answer }>;
  /** What the registry does to find out whether its users are there. @throws NotChecked if nobody waits for it */
  checks(): Promise<Checks>;
  /** Removes all that was registered. */
  cleanUp(): Promise<void>;
}

/** @param wait milliseconds within which each user should have been checked; 0 leaves that out */
export function openRegistry(url: string, wait: number): Registry {
  const users = url.replace(/\/+$/, "") + REGISTRY_PATHS.users;
  const run = crypto.randomUUID().slice(0, 8);
  const names: string[] = [];
  let checks: Promise<Checks> | undefined;

  const registry: Registry = {
    newName(ending = "") {
      const name = `conformance-${run}-${names.length}${ending}`;
      names.push(name);
      return name;
    },
    ask: (method, path, body) => ask(method, users + path, body),
    async listed(user, path = "/") {
      const answer = await registry.ask("GET", path);
      if (answer.status !== 200 || !isRecord(answer.json))
        return answer.instead("200 and an object of users");
      return { entry: Object.hasOwn(answer.json, user) ? answer.json[user] : undefined, answer };
    },
    checks() {
      checks ??= watchChecks(registry, hostOf(url), wait);
      return checks;
    },
    async cleanUp() {
      // One that is not there any more, or never was, does no harm.
      await Promise.all(names.map((name) => registry.ask("DELETE", `/${name}`).catch(() => {})));
    },
  };
  return registry;
}
