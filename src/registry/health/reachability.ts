/** Tests on request whether the registry can reach a user, with the checker's own probers. */
import { canonicalHost, urlHost } from "../../core/address.ts";
import type { Clock } from "../../core/clock.ts";
import { sleep } from "../../core/clock.ts";
import { type MayContact, resolveContact } from "../../core/denylist.ts";
import { refused } from "../../core/errors.ts";
import type { Address, UserName } from "../../core/schemas.ts";
import { localAddressTowards } from "../../core/udp-socket.ts";
import type { Finding, Prober } from "./types.ts";

/** Minimum time between two tests of one user or one address, in milliseconds. */
const PAUSE_MS = 5000;

/** How long a test may take, in milliseconds, and how many probes share that time, since datagrams may be lost. */
const LOOK_MS = 3000;
const ATTEMPTS = 4;
const PROBE_MS = LOOK_MS / ATTEMPTS;

/** Most concurrent tests, so that the checker's own probes are not starved. */
const MAX_AT_ONCE = 20;

/** Most users and addresses remembered for that minimum time. */
const MAX_REMEMBERED = 10_000;

/** The result; `from` is this machine's address on the route to the user, undefined without a route. */
export interface ReachReport {
  reached: "yes" | "no";
  reason: string;
  from: string | undefined;
}

/** @throws `asked-too-soon` */
export type LookAt = (user: UserName, address: Address) => Promise<ReachReport>;

export function createLook({
  proberFor,
  mayContact,
  clock,
}: {
  proberFor: (address: Address) => Prober;
  mayContact: MayContact;
  clock: Clock;
}): LookAt {
  /** When each user and address was last tested, oldest first. */
  const looked = new Map<string, number>();
  let underWay = 0;

  function pause(key: string): void {
    const now = clock.now();
    for (const [old, at] of looked) {
      if (now - at < PAUSE_MS) break;
      looked.delete(old);
    }
    const at = looked.get(key);
    if (at !== undefined)
      throw refused("asked-too-soon", { retryAfter: Math.ceil((at + PAUSE_MS - now) / 1000) });
    if (looked.size >= MAX_REMEMBERED) throw refused("asked-too-soon", { retryAfter: PAUSE_MS / 1000 });
    looked.set(key, now);
  }

  async function probe(address: Address): Promise<Finding> {
    const check = proberFor(address).begin(address);
    try {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const sentAt = clock.now();
        const finding = await check.probe(PROBE_MS);
        if (finding !== "silent") return finding;
        // A local error returns at once: give the peer the rest of its time to answer.
        const left = sentAt + PROBE_MS - clock.now();
        if (left > 0 && attempt < ATTEMPTS) await sleep(clock, left);
      }
      return "silent";
    } finally {
      check.end();
    }
  }

  return async (user, address) => {
    if (underWay >= MAX_AT_ONCE) throw refused("asked-too-soon", { retryAfter: 1 });
    pause(user);
    underWay++;
    try {
      // Limit by place too, however it is spelled: many names at one could have it probed more often.
      const ips = await resolveContact(address.host, mayContact, AbortSignal.timeout(PROBE_MS)).catch(
        () => [],
      );
      const hosts = ips.length > 0 ? ips : [canonicalHost(address.host)];
      for (const host of hosts) pause(`${urlHost(host)}:${address.port}`);
      const [finding, from] = await Promise.all([probe(address), addressTowards(ips[0])]);
      return { reached: finding === "alive" ? "yes" : "no", reason: reasonOf(finding), from };
    } finally {
      underWay--;
    }
  };
}

async function addressTowards(ip: string | undefined): Promise<string | undefined> {
  try {
    return ip === undefined ? undefined : canonicalHost(await localAddressTowards(ip));
  } catch {
    // No route: the finding says so.
    return undefined;
  }
}

function reasonOf(finding: Finding): string {
  switch (finding) {
    case "alive":
      return "it answered";
    case "refused":
      return "it refuses connections, or there is no such host";
    case "silent":
      return `no answer in ${LOOK_MS / 1000} s`;
    case "denied":
      return "the registry never contacts its address";
  }
}
