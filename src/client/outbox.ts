/** Messages on their way: in order to each peer, and no peer in another's way. */
import { sameAddress } from "../core/address.ts";
import { TalkError } from "../core/errors.ts";
import { type Outcome, type Sender, type Transport, transportFor } from "./transports/index.ts";
import type { ListedAddress } from "./users.ts";

/** Most messages that may wait before whoever writes them has to. */
const MAX_WAITING = 500;

export interface Outbox {
  /** Queues an encoded message; without an address, it is looked up first. Never rejects. */
  send(to: string, address: ListedAddress | undefined, body: string): Promise<Outcome>;
  /** Resolves once fewer than 500 messages wait. */
  room(): Promise<void>;
  /** Resolves once nothing is under way. */
  idle(): Promise<void>;
  /** How many messages are not settled, by user. */
  unsettled(): Map<string, number>;
  close(): void;
}

interface Item {
  address: ListedAddress | undefined;
  body: string;
  bytes: number;
  settle: (outcome: Outcome) => void;
  retried?: true;
}

/** What waits for one user, and what is under way to it. */
interface Lane {
  waiting: Item[];
  underWay: number;
  bytesUnderWay: number;
  /** Messages that failed, until the list has told whether the user moved; nothing else leaves before. */
  failed: { item: Item; outcome: Outcome }[];
}

/** @param lookUp asks the registry where a user is now; undefined if there is no such user. @throws TalkError if it cannot tell */
export function createOutbox(lookUp: (user: string) => Promise<ListedAddress | undefined>): Outbox {
  const lanes = new Map<string, Lane>();
  const senders = new Map<Transport, Sender>();
  let waiting = 0;
  let changed = Promise.withResolvers<void>();

  function senderOf(transport: Transport): Sender {
    const sender = senders.get(transport) ?? transport.createSender();
    senders.set(transport, sender);
    return sender;
  }

  function pump(to: string, lane: Lane): void {
    for (let item = lane.waiting[0]; item && lane.failed.length === 0; item = lane.waiting[0]) {
      const transport = item.address && transportFor(item.address.protocol);
      if (transport && lane.underWay > 0 && !fits(lane, item, transport)) return;
      lane.waiting.shift();
      waiting--;
      lane.underWay++;
      lane.bytesUnderWay += item.bytes;
      void transmit(transport, item).then((outcome) => arrived(to, lane, item, outcome));
    }
  }

  async function transmit(transport: Transport | undefined, { address, body }: Item): Promise<Outcome> {
    if (!address) return { type: "failed", reason: "the registry knows no such user" };
    if (transport) return senderOf(transport).send(address, body);
    return { type: "failed", reason: "its protocol is not supported" };
  }

  function arrived(to: string, lane: Lane, item: Item, outcome: Outcome): void {
    lane.underWay--;
    lane.bytesUnderWay -= item.bytes;
    if (outcome.type === "failed" && !item.retried) lane.failed.push({ item, outcome });
    else item.settle(outcome);
    if (lane.failed.length > 0 && lane.underWay === 0) void heal(to, lane);
    proceed(to, lane);
  }

  /** Who refuses may have moved: asks where to, and tries once more, ahead of whatever was written since. */
  async function heal(to: string, lane: Lane): Promise<void> {
    const { address, trouble } = await tryToLookUp(to);
    const failed = lane.failed.splice(0);
    const again: Item[] = [];
    for (const { item, outcome } of failed) {
      if (address && !(item.address && sameAddress(address, item.address))) {
        again.push({ ...item, address, retried: true });
      } else item.settle(trouble && !item.address ? trouble : outcome);
    }
    if (address) for (const item of lane.waiting) item.address = address;
    lane.waiting.unshift(...again);
    waiting += again.length;
    proceed(to, lane);
  }

  async function tryToLookUp(to: string): Promise<{ address?: ListedAddress; trouble?: Outcome }> {
    try {
      const address = await lookUp(to);
      return address ? { address } : {};
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      return { trouble: { type: "failed", reason: error.message } };
    }
  }

  function proceed(to: string, lane: Lane): void {
    pump(to, lane);
    if (lane.underWay + lane.waiting.length + lane.failed.length === 0) lanes.delete(to);
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await changed.promise;
  }

  return {
    send(to, address, body) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const lane = lanes.get(to) ?? { waiting: [], underWay: 0, bytesUnderWay: 0, failed: [] };
      lanes.set(to, lane);
      lane.waiting.push({ address, body, bytes: Buffer.byteLength(body), settle: resolve });
      waiting++;
      pump(to, lane);
      return promise;
    },
    room: () => until(() => waiting < MAX_WAITING),
    idle: () => until(() => lanes.size === 0),
    unsettled() {
      const count = ({ waiting, underWay, failed }: Lane) => waiting.length + underWay + failed.length;
      return new Map([...lanes].map(([to, lane]) => [to, count(lane)]));
    },
    close() {
      for (const sender of senders.values()) sender.close();
    },
  };
}

/** Whether a message may leave beside those under way. */
function fits({ underWay, bytesUnderWay }: Lane, { bytes }: Item, { window }: Transport): boolean {
  return underWay < window.messages && bytesUnderWay + bytes <= window.bytes;
}
