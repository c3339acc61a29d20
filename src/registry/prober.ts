import type { Address } from "../core/schemas.ts";

/**
 * What one probe found. *Silent* is everything that is neither an answer nor a refusal, our own errors too;
 * *denied* is an address that may not be probed.
 */
export type Finding = "alive" | "refused" | "silent" | "denied";

/** One check of one address, of as many probes as it takes. */
export interface Check {
  /** Probes once. Never rejects. */
  probe(deadlineMs: number): Promise<Finding>;
  /** Forgets the probes; an answer that comes later is nobody's. */
  end(): void;
}

/** How to check addresses of a protocol. */
export interface Prober {
  /** How many silent probes share a check's window. */
  attempts: number;
  begin(address: Address): Check;
}
