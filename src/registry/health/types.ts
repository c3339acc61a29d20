import type { ProbeForm } from "../../core/probe.ts";
import type { Address } from "../../core/schemas.ts";

/**
 * What one probe found. *Silent* is everything that is neither an answer nor a refusal, our own errors too;
 * *denied* is an address that may not be probed.
 */
export type Finding = "alive" | "refused" | "silent" | "denied";

/** What earlier checks of a registration found out, for its next one. */
export interface ProbeHistory {
  /** The form of probe that it answers on UDP. */
  probeForm?: ProbeForm;
}

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
  /** @param history is read and completed. @default nothing */
  begin(address: Address, history?: ProbeHistory): Check;
}
