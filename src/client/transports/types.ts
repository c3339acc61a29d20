/** The transport interface, and the outcomes of sending. */
import type { MayContact } from "../../core/denylist.ts";
import type { Address, Message } from "../../core/schemas.ts";

/** The outcome of sending a message. */
export type Outcome =
  | { type: "delivered" }
  /** Handed to the network; this protocol or peer never acknowledges. */
  | { type: "sent" }
  /** No acknowledgement came in time; it may have arrived. */
  | { type: "unanswered"; seconds: number }
  /** The connection broke before an acknowledgement; it may have arrived. */
  | { type: "broken" }
  /**
   * @property absent set if nobody is at the user's address: nothing arrived, and a later attempt may succeed
   * @property unknown also set if the registry knows no such user
   * @property permanent set if a retry would fail the same way
   */
  | { type: "failed"; reason: string; absent?: true; unknown?: true; permanent?: true }
  /** Kept until the user is back. */
  | { type: "waiting"; reason: string };

/** The peer did not take the message, and asks for it again in so many milliseconds. */
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
  /** Called for each message: the milliseconds its source has to wait, or 0 to admit it. @default no limit */
  delay?: ((source: string) => number) | undefined;
  /** The address at which others reach this client, given its port. */
  advertised: (port: number) => Address;
  /** The registry's IP addresses: besides a probe's source, the only places an answer may go to. */
  registryIps: readonly string[];
  /** Host name of the proxy in front of us, if any. */
  publicHost?: string | undefined;
}

export interface Listener {
  port: number;
  close(): Promise<void>;
}

export interface Sender {
  /** Sends an encoded message; resolves to its outcome within 5 s. Never rejects. */
  send(address: { host: string; port: number }, body: string): Promise<Outcome | Deferral>;
  /** Settles messages in flight, which may have arrived. */
  close(): void;
}

/** One protocol: how to listen on it and how to send over it. */
export interface Transport {
  /** @throws CannotListen */
  listen(options: ListenOptions): Promise<Listener>;
  /** @param mayContact which addresses messages may go to */
  createSender(mayContact?: MayContact): Sender;
  /** How much may be in flight to one peer without loss or reordering; one message always may. */
  window: { messages: number; bytes: number };
  /** Set if peers cannot say that we send too fast, but drop messages. */
  silentlyLimited?: true;
}
