/** What a transport is, and what becomes of what it sends. */
import type { MayContact } from "../../core/denylist.ts";
import type { Address, Message } from "../../core/schemas.ts";

/** What became of a message. */
export type Outcome =
  | { type: "delivered" }
  /** Handed to the network, by a protocol or to a peer that never tells more. */
  | { type: "sent" }
  /** The peer should have told, and did not: it may have arrived. */
  | { type: "unanswered"; seconds: number }
  /** So did the connection; it, too, may have arrived. */
  | { type: "broken" }
  /**
   * @property absent set if nobody is where the user should be, so that nothing has arrived, and later may
   * @property unknown set, too, if the registry knows no such user
   * @property permanent set where sending the same once more would fail the same way
   */
  | { type: "failed"; reason: string; absent?: true; unknown?: true; permanent?: true }
  /** Kept until the user is back. */
  | { type: "waiting"; reason: string };

/** The peer has taken nothing of the message, and wants to get it so many milliseconds later. */
export interface Deferral {
  type: "deferred";
  ms: number;
}

export interface ListenOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** @param source the IP address it came from */
  onMessage: (message: Message, source: string) => void;
  /** Asked for each message: the milliseconds that this source has to wait with it, 0 lets it in. @default no limit */
  delay?: ((source: string) => number) | undefined;
  /** Where others reach this client, once its port is known. */
  advertised: (port: number) => Address;
  /** The registry's own IP addresses: besides a probe's source, the only places an answer may go. */
  registryIps: readonly string[];
  /** The name by which a proxy in front of us is asked, if there is one. */
  publicHost?: string | undefined;
}

export interface Listener {
  port: number;
  close(): Promise<void>;
}

export interface Sender {
  /** Sends an encoded message, and tells within 5 s what became of it. Never rejects. */
  send(address: { host: string; port: number }, body: string): Promise<Outcome | Deferral>;
  /** Ends what is under way, and tells of it what is known: it may have arrived. */
  close(): void;
}

/** One protocol: how to listen on it and how to send over it. */
export interface Transport {
  /** @throws CannotListen */
  listen(options: ListenOptions): Promise<Listener>;
  /** @param mayContact whom messages may go to at all */
  createSender(mayContact?: MayContact): Sender;
  /** How much may be under way to one peer at once, without losing any of it or its order; one message always may. */
  window: { messages: number; bytes: number };
  /** Peers cannot say that they are sent too much: they drop it. */
  silentlyLimited?: true;
}
