import type { Address, Message, Protocol } from "../../core/schemas.ts";
import { http } from "./http.ts";
import { udp } from "./udp.ts";
import { webSocket } from "./websocket.ts";

/** What became of a message. */
export type Outcome =
  | { type: "delivered" }
  /** Handed to the network, by a protocol or to a peer that never tells more. */
  | { type: "sent" }
  /** The peer should have told, and did not: it may have arrived. */
  | { type: "unanswered"; seconds: number }
  /** So did the connection; it, too, may have arrived. */
  | { type: "broken" }
  | { type: "failed"; reason: string };

export interface ListenOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  onMessage: (message: Message) => void;
  /** Where others reach this client, once its port is known. */
  advertised: (port: number) => Address;
  /** The registry's own IP addresses: besides a probe's source, the only places an answer may go. */
  registryIps: readonly string[];
}

export interface Listener {
  port: number;
  close(): Promise<void>;
}

export interface Sender {
  /** Sends an encoded message, and tells within 5 s what became of it. Never rejects. */
  send(address: { host: string; port: number }, body: string): Promise<Outcome>;
  close(): void;
}

/** One protocol: how to listen on it and how to send over it. */
export interface Transport {
  /** @throws CannotListen */
  listen(options: ListenOptions): Promise<Listener>;
  createSender(): Sender;
  /** How much may be under way to one peer at once, without losing any of it or its order; one message always may. */
  window: { messages: number; bytes: number };
}

export const transports: Record<Protocol, Transport> = { HTTP: http, WEBSOCKET: webSocket, UDP: udp };

/** The transport for a protocol in a list, if it is one of ours. */
export function transportFor(protocol: string): Transport | undefined {
  return new Map<string, Transport>(Object.entries(transports)).get(protocol);
}
