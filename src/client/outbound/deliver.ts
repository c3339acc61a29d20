/** Sends one text to some users, without listening or registering. */

import { canonicalHost } from "../../core/address.ts";
import { atMost } from "../../core/clock.ts";
import { TalkError } from "../../core/errors.ts";
import { encodeMessage } from "../../core/message.ts";
import type { UserName } from "../../core/schemas.ts";
import { adviseOnRegistry } from "../registry/advice.ts";
import { connectRegistry } from "../registry/api.ts";
import { nearestUser } from "../registry/listed-users.ts";
import { contactRuleFor, isShared, routeTo } from "../registry/route.ts";
import type { RegistryApi, Users } from "../registry/types.ts";
import { type Report, reportOf } from "../session/report.ts";
import type { Outcome } from "../transports/types.ts";
import { createOutbox } from "./outbox.ts";

/** The first and the longest wait before looking for an absent user again, in milliseconds. */
const FIRST_LOOK_MS = 200;
const MAX_LOOK_MS = 2000;

export interface Delivery {
  from: UserName;
  text: string;
  registry: string;
  /** How long to wait for absent users, in milliseconds. @default 0 */
  waitMs?: number;
  /** Resolves to end the wait early. @default never */
  stop?: Promise<unknown>;
}

/** The outcome for each user, in their order. Rejects only on a bug. */
export async function deliver(
  { from, text, registry: url, waitMs = 0, stop = new Promise(() => {}) }: Delivery,
  to: readonly UserName[],
): Promise<Report[]> {
  const registry = connectRegistry(url);
  const deadline = performance.now() + waitMs;
  let stopped = false;
  void stop.then(() => {
    stopped = true;
  });
  try {
    const body = encodeMessage({ user: from, text });
    const [route, users] = await Promise.all([routeTo(registry.url), registry.list()]);
    const lookUp = async (user: UserName) => (await registry.list()).get(user);
    const outbox = createOutbox(lookUp, undefined, contactRuleFor(route, await isShared(route, registry)));

    /** Retries until the user answers, but stays with the host it was at: elsewhere it may be somebody else. */
    async function send(user: UserName): Promise<Outcome> {
      let address = users.get(user);
      let host = address && canonicalHost(address.host);
      let outcome = await outbox.send(user, address, body);
      for (let wait = FIRST_LOOK_MS; ; wait = Math.min(2 * wait, MAX_LOOK_MS)) {
        const left = deadline - performance.now();
        if (outcome.type !== "failed" || !outcome.absent || left <= 0 || stopped) return outcome;
        await atMost(Math.min(wait, left), stop);
        address = await find(registry, user);
        if (!address) continue;
        host ??= canonicalHost(address.host);
        if (canonicalHost(address.host) === host) outcome = await outbox.send(user, address, body);
        else outcome = { type: "failed", reason: `it is at another host now, ${address.host}`, absent: true };
      }
    }

    try {
      return await Promise.all(
        to.map(async (user) => reportOf(explained(user, await send(user), users, stopped ? 0 : waitMs))),
      );
    } finally {
      void outbox.close();
    }
  } catch (caught) {
    const error = adviseOnRegistry(caught);
    if (!(error instanceof TalkError)) throw error;
    return to.map(() => ({ type: "failed", reason: error.message }));
  }
}

/** Adds to a failure how long we waited, and who an unknown name may mean. */
function explained(user: UserName, outcome: Outcome, users: Users, waitedMs: number): Outcome {
  if (outcome.type !== "failed" || !outcome.absent) return outcome;
  const meant = outcome.unknown ? nearestUser(user, users) : undefined;
  const waited = waitedMs > 0 ? `, after ${waitedMs / 1000} s of waiting` : "";
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return { ...outcome, reason: `${outcome.reason}${waited}${hint}` };
}

/** Where a user is now; undefined if unknown, or if the registry does not answer. */
async function find(registry: RegistryApi, user: UserName) {
  try {
    return (await registry.list()).get(user);
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return undefined;
  }
}
