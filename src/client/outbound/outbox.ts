/** Sends messages: in order to each peer, and no slow peer delays another. */
import { canonicalHost, sameAddress } from "../../core/address.ts";
import { nextTurn, systemClock } from "../../core/clock.ts";
import type { MayContact } from "../../core/denylist.ts";
import { TalkError } from "../../core/errors.ts";
import { createTokenBucket } from "../../core/limits/token-bucket.ts";
import { MESSAGES_PER_SECOND } from "../../core/protocol.ts";
import { createCondition } from "../condition.ts";
import type { ListedAddress } from "../registry/types.ts";
import { transportFor } from "../transports/index.ts";
import type { Deferral, Outcome, Sender, Transport } from "../transports/types.ts";
import { createBackPressure } from "./back-pressure.ts";

/** Most messages and bytes queued for one peer; more fail. Back-pressure stops line input long before that. */
const MAX_PER_PEER = { messages: 10_000, bytes: 64 * 1024 * 1024 };

/** How often a peer may defer one message, and for how long at most, in milliseconds. */
const MAX_DEFERRALS = 20;
const MAX_DEFERRAL_MS = 10_000;

/** Share of a peer's rate limit we use if it cannot defer messages, because its clock is not ours. */
const PRUDENCE = 0.9;

/** Shortest wait for a token, in milliseconds, so that a few messages then leave together. */
const MIN_PAUSE_MS = 50;

export interface Outbox {
  /** Queues an encoded message, looking up the address first if there is none. Never rejects. */
  send(
    to: string,
    address: ListedAddress | undefined,
    body: string,
    /** With `sameHost`, follows a user who has moved only within that host: elsewhere it may be somebody else. */
    options?: { sameHost?: boolean },
  ): Promise<Outcome>;
  /** Resolves once fewer than 500 messages and 512 KiB are unsent. */
  room(): Promise<void>;
  /** Resolves once every message is settled. */
  idle(): Promise<void>;
  /** Counts of unsettled messages, by user. */
  unsettled(): Map<string, number>;
  /** Stops sending, and settles messages in flight, which may have arrived. Resolves once outcomes are reported. */
  close(): Promise<void>;
}

interface Item {
  address: ListedAddress | undefined;
  body: string;
  bytes: number;
  settle: (outcome: Outcome) => void;
  retried?: true;
  sameHost: boolean;
  /** How often the peer has deferred it. */
  deferrals?: number;
}

/** The queue of one user, and what is in flight to it. */
interface Lane {
  waiting: Item[];
  bytesWaiting: number;
  underWay: number;
  bytesUnderWay: number;
  /** Messages that came back; nothing else leaves until it is decided what to do with them. */
  returned: { item: Item; outcome: Outcome | Deferral }[];
  /** Set once the user proved absent: later messages must neither fail one by one nor overtake. */
  gone?: Outcome | undefined;
  /** Set while sending is paused; cancels the pause. */
  cancelPause?: (() => void) | undefined;
}

/**
 * @param lookUp asks the registry for a user's address, undefined if there is no such user; rejects with a TalkError if
 *   the registry does not answer
 * @param mayContact which addresses messages may go to
 * @param perSecond rate limit for peers that cannot defer messages; 0 for none
 */
export function createOutbox(
  lookUp: (user: string) => Promise<ListedAddress | undefined>,
  perSecond = MESSAGES_PER_SECOND,
  mayContact?: MayContact,
): Outbox {
  const allowed = perSecond * PRUDENCE;
  const bucket = perSecond === 0 ? () => 0 : createTokenBucket({ perSecond: allowed, burst: allowed });
  const lanes = new Map<string, Lane>();
  const senders = new Map<Transport, Sender>();
  const backPressure = createBackPressure();
  const settled = createCondition();
  let closed = false;

  function queued(lane: Lane, { bytes }: Item): void {
    lane.bytesWaiting += bytes;
    backPressure.add(bytes);
  }

  function dequeued(lane: Lane, { bytes }: Item): void {
    lane.bytesWaiting -= bytes;
    backPressure.remove(bytes);
  }

  function senderOf(transport: Transport): Sender {
    const sender = senders.get(transport) ?? transport.createSender(mayContact);
    senders.set(transport, sender);
    return sender;
  }

  function pump(to: string, lane: Lane): void {
    for (let item = lane.waiting[0]; item && !lane.cancelPause; item = lane.waiting[0]) {
      if (closed || lane.returned.length > 0 || lane.gone) return;
      const transport = item.address && transportFor(item.address.protocol);
      // Without an address, it would come back ahead of those under way.
      if (lane.underWay > 0 && !(transport && fits(lane, item, transport))) return;
      const wait = transport?.silentlyLimited ? bucket(`${item.address?.host} ${item.address?.port}`) : 0;
      if (wait > 0) {
        pause(to, lane, Math.max(wait, MIN_PAUSE_MS));
        return;
      }
      lane.waiting.shift();
      dequeued(lane, item);
      lane.underWay++;
      lane.bytesUnderWay += item.bytes;
      void transmit(transport, item).then((outcome) => arrived(to, lane, item, outcome));
    }
  }

  function pause(to: string, lane: Lane, ms: number): void {
    lane.cancelPause = systemClock.after(ms, () => {
      lane.cancelPause = undefined;
      proceed(to, lane);
    });
  }

  function transmit(transport: Transport | undefined, { address, body }: Item): Promise<Outcome | Deferral> {
    if (address && transport) return senderOf(transport).send(address, body);
    return Promise.resolve(
      address
        ? { type: "failed", reason: "its protocol is not supported", permanent: true }
        : { type: "failed", reason: "the registry knows no such user", absent: true, unknown: true },
    );
  }

  function arrived(to: string, lane: Lane, item: Item, outcome: Outcome | Deferral): void {
    lane.underWay--;
    lane.bytesUnderWay -= item.bytes;
    if (outcome.type === "deferred" || (outcome.type === "failed" && !item.retried && !closed)) {
      lane.returned.push({ item, outcome });
    } else settle(lane, item, outcome);
    if (lane.returned.length > 0 && lane.underWay === 0 && !closed) void treat(to, lane);
    proceed(to, lane);
  }

  function settle(lane: Lane, item: Item, outcome: Outcome): void {
    if (outcome.type === "failed" && outcome.absent) lane.gone = outcome;
    item.settle(outcome);
  }

  /** Once nothing is in flight, fails everything queued with the same outcome. */
  function giveUp(lane: Lane): void {
    const { gone } = lane;
    if (!gone || lane.underWay + lane.returned.length > 0) return;
    lane.gone = undefined;
    for (const item of lane.waiting.splice(0)) {
      dequeued(lane, item);
      item.settle(gone);
    }
  }

  /**
   * Handles returned messages. A peer that refuses may have moved: looks it up, and retries once, ahead of anything
   * newer. A peer that defers gets the same messages later, in the same order.
   */
  async function treat(to: string, lane: Lane): Promise<void> {
    const refused = lane.returned.some(({ outcome }) => outcome.type === "failed");
    const { address, trouble } = refused ? await tryToLookUp(to) : {};
    const again: Item[] = [];
    let wait = 0;
    for (const { item, outcome } of lane.returned.splice(0)) {
      const moved =
        address && !(item.address && sameAddress(address, item.address)) && mayFollow(item, address);
      if (outcome.type === "deferred") {
        const deferrals = (item.deferrals ?? 0) + 1;
        wait = Math.max(wait, Math.min(outcome.ms, MAX_DEFERRAL_MS));
        if (deferrals <= MAX_DEFERRALS) again.push({ ...item, deferrals });
        else
          settle(lane, item, {
            type: "failed",
            reason: `still busy after ${MAX_DEFERRALS} tries`,
          });
      } else if (moved) again.push({ ...item, address, retried: true });
      else settle(lane, item, trouble && !item.address ? trouble : outcome);
    }
    if (address) for (const item of lane.waiting) if (mayFollow(item, address)) item.address = address;
    lane.waiting.unshift(...again);
    for (const item of again) queued(lane, item);
    if (wait > 0) pause(to, lane, wait);
    proceed(to, lane);
  }

  async function tryToLookUp(to: string): Promise<{ address?: ListedAddress; trouble?: Outcome }> {
    try {
      const address = await lookUp(to);
      return address ? { address } : {};
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      return { trouble: { type: "failed", reason: error.message, absent: true } };
    }
  }

  function proceed(to: string, lane: Lane): void {
    giveUp(lane);
    pump(to, lane);
    if (lane.underWay + lane.waiting.length + lane.returned.length === 0) lanes.delete(to);
    settled.notify();
  }

  return {
    send(to, address, body, { sameHost = false } = {}) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const lane = lanes.get(to) ?? openLane();
      const { length } = lane.waiting;
      if (length >= MAX_PER_PEER.messages || lane.bytesWaiting > MAX_PER_PEER.bytes) {
        return Promise.resolve({ type: "failed", reason: `${length} earlier messages are still queued` });
      }
      lanes.set(to, lane);
      const item: Item = { address, body, sameHost, bytes: Buffer.byteLength(body), settle: resolve };
      lane.waiting.push(item);
      queued(lane, item);
      pump(to, lane);
      return promise;
    },
    room: backPressure.room,
    idle: () => settled.until(() => lanes.size === 0),
    unsettled() {
      const count = ({ waiting, underWay, returned }: Lane) => waiting.length + underWay + returned.length;
      return new Map([...lanes].map(([to, lane]) => [to, count(lane)]));
    },
    async close() {
      closed = true;
      for (const lane of lanes.values()) lane.cancelPause?.();
      for (const sender of senders.values()) sender.close();
      await settled.until(() => [...lanes.values()].every(({ underWay }) => underWay === 0));
      // Let those awaiting the outcomes act first.
      await nextTurn();
    },
  };
}

function openLane(): Lane {
  return { waiting: [], bytesWaiting: 0, underWay: 0, bytesUnderWay: 0, returned: [] };
}

function mayFollow({ address, sameHost }: Item, to: ListedAddress): boolean {
  return !sameHost || !address || canonicalHost(address.host) === canonicalHost(to.host);
}

/** Whether a message fits beside those in flight. */
function fits({ underWay, bytesUnderWay }: Lane, { bytes }: Item, { window }: Transport): boolean {
  return underWay < window.messages && bytesUnderWay + bytes <= window.bytes;
}
