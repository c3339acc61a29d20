/** Whether a message came from where its sender is registered; its name alone anybody can write. */
import { networkInterfaces } from "node:os";
import { canonicalHost, isLoopback, resolveHost } from "../../core/address.ts";
import { atMost, type Clock } from "../../core/clock.ts";
import type { UserName } from "../../core/schemas.ts";
import { createTokenBucket } from "../../core/token-bucket.ts";
import type { Users } from "../registry/listed-users.ts";

/** How long a message may wait for a list or a name server, in milliseconds. */
const PATIENCE_MS = 1000;

/** After a wait in vain nothing waits for so long, in milliseconds. */
const PAUSE_MS = 10_000;

/** How many lists are asked for at once, and then how many a second, however many strangers write. */
const LISTS = { burst: 5, perSecond: 0.2 };

/** How long a verdict is believed for which a list should have been asked for, in milliseconds. */
const HASTY_MS = 5000;

/** How long it is believed what a name server said, and which addresses this machine has, in milliseconds. */
const BELIEVED_MS = 60_000;

/** Most verdicts and names that are remembered. */
const MAX_REMEMBERED = 1000;

/** Why a sender is doubtful, in a sentence; undefined if it fits. */
export type Doubt = string | undefined;

export interface SenderCheckOptions {
  /** The known list. */
  users: () => Users;
  /** Asks for another list, because the known one may be old. */
  refresh: () => Promise<unknown>;
  clock: Clock;
  /** The IP addresses of a host. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Gives verdicts on senders, mostly at once. Addresses are compared without their ports: a message leaves from any. */
export function createSenderCheck({
  users,
  refresh,
  clock,
  resolve = resolveHost,
}: SenderCheckOptions): (user: UserName, source: string) => Doubt | Promise<Doubt> {
  /** Of the list that they were given on, by user and source; another list makes them void. */
  const verdicts = new Map<string, { list: Users; doubt: Doubt; until: number }>();
  const names = new Map<string, { ips: string[]; until: number }>();
  let own = { ips: new Set<string>(), until: Number.NEGATIVE_INFINITY };
  let impatientUntil = Number.NEGATIVE_INFINITY;
  const listPace = createTokenBucket({ ...LISTS, now: clock.now });

  function isOwn(ip: string): boolean {
    if (isLoopback(ip)) return true;
    if (clock.now() >= own.until) {
      const interfaces = Object.values(networkInterfaces()).flat();
      const ips = new Set(interfaces.map((each) => canonicalHost(each?.address ?? "")));
      own = { ips, until: clock.now() + BELIEVED_MS };
    }
    return own.ips.has(ip);
  }

  function fits(ips: readonly string[], source: string): boolean {
    return ips.includes(source) || (isOwn(source) && ips.some(isOwn));
  }

  async function addressesOf(host: string): Promise<string[]> {
    const known = names.get(host);
    if (known && clock.now() < known.until) return known.ips;
    const ips = await resolve(host).catch(() => []);
    if (names.size >= MAX_REMEMBERED) names.clear();
    names.set(host, { ips, until: clock.now() + BELIEVED_MS });
    return ips;
  }

  async function judge(user: UserName, source: string): Promise<Doubt> {
    const listed = users().get(user);
    // A name that nobody has registered stands for nobody: scripts send under theirs without being users.
    if (!listed || fits(await addressesOf(listed.host), source)) return undefined;
    return `${user}? wrote from ${source}, but ${user} is registered at ${listed.host}`;
  }

  async function judgeTwice(key: string, user: UserName, source: string): Promise<Doubt> {
    let doubt = await judge(user, source);
    let believed = BELIEVED_MS;
    const mayBeOld = doubt !== undefined || !users().has(user);
    if (mayBeOld && listPace("") > 0) believed = HASTY_MS;
    else if (mayBeOld) {
      await refresh();
      doubt = await judge(user, source);
    }
    if (verdicts.size >= MAX_REMEMBERED) verdicts.clear();
    verdicts.set(key, { list: users(), doubt, until: clock.now() + believed });
    return doubt;
  }

  /** A verdict in time, or the doubt that there is without one. */
  async function verdict(key: string, user: UserName, source: string): Promise<Doubt> {
    const judged = judgeTwice(key, user, source).then((doubt) => ({ doubt }));
    const patience = clock.now() < impatientUntil ? 0 : PATIENCE_MS;
    const inTime = await atMost(patience, judged);
    if (inTime) return inTime.doubt;
    if (patience > 0) impatientUntil = clock.now() + PAUSE_MS;
    if (!users().has(user)) return undefined;
    return `${user}? wrote from ${source}, and it cannot be found out now whether that is where ${user} is`;
  }

  return (user, from) => {
    const source = from.includes(":") ? canonicalHost(from) : from;
    const key = `${user} ${source}`;
    const known = verdicts.get(key);
    if (known && known.list === users() && clock.now() < known.until) return known.doubt;
    return verdict(key, user, source);
  };
}
