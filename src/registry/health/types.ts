import type { ProbeForm } from "../../core/probe.ts";
import type { Address } from "../../core/schemas.ts";

/**
 * The finding of one probe. *Silent* is anything that is neither an answer nor a refusal, our own errors included;
 * *denied* is an address that may not be probed.
 */
export type Finding = "alive" | "refused" | "silent" | "denied";

/** What earlier checks of a registration have learned. */
export interface ProbeHistory {
  /** The form of UDP probe that it answers. */
  probeForm?: ProbeForm;
}

/** One check of one address, with any number of probes. */
export interface Check {
  /** Sends one probe. Never rejects. */
  probe(deadlineMs: number): Promise<Finding>;
  /** Forgets the probes; later answers are ignored. */
  end(): void;
}

/** How to check addresses of a protocol. */
export interface Prober {
  /** The probes that share a check's window. */
  attempts: number;
  /** @param history read and updated. @default none */
  begin(address: Address, history?: ProbeHistory): Check;
}
