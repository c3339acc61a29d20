import type { ProbeForm } from "../../core/probe.ts";
import type { Address } from "../../core/schemas.ts";

/**
 * What one probe found. *Silent* is everything that is neither an answer nor a refusal, our own errors too;
 * *denied* is an address that may not be probed.
 */
export type Finding = "alive" | "refused" | "silent" | "denied";

/** What checks have found out about a client, for its next one; kept for as long as its registration. */
export interface Known {
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
  /** @param known what earlier checks of the same registration have found out, to be completed. @default nothing */
  begin(address: Address, known?: Known): Check;
}
