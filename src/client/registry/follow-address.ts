/** Keeps the registered address up to date while networks come and go. */
import { sameAddress } from "../../core/address.ts";
import { systemClock } from "../../core/clock.ts";
import type { Address } from "../../core/schemas.ts";
import type { Endpoint } from "../inbound/endpoint.ts";
import type { OwnRegistration } from "./registration.ts";

/** How often to check this machine's address, in milliseconds; a check only reads the routes. */
const LOOK_MS = 3000;

export interface AddressFollower {
  start(): void;
  /** Checks now. @param thoroughly also resolves the registry's host again */
  look(thoroughly: boolean): Promise<void>;
  stop(): void;
}

export interface AddressFollowerOptions {
  endpoint: Endpoint;
  registration: OwnRegistration;
  /** We listen at a new address, which the registry does not have yet. */
  onReaddressed: (address: Address) => void;
  /** The registry has the new address. */
  onMoved: () => void;
}

export function followAddress({
  endpoint,
  registration,
  onReaddressed,
  onMoved,
}: AddressFollowerOptions): AddressFollower {
  let announced = endpoint.address;
  let busy = false;
  let stopped = false;
  let cancel = () => {};

  async function look(thoroughly: boolean): Promise<void> {
    if (busy || stopped) return;
    busy = true;
    try {
      await endpoint.relocate(thoroughly);
      const { address } = endpoint;
      if (address !== announced) {
        announced = address;
        onReaddressed(address);
      }
      if (stopped || sameAddress(address, registration.address)) return;
      if (await registration.move(address)) onMoved();
    } finally {
      busy = false;
    }
  }

  function wait(): void {
    cancel = systemClock.after(LOOK_MS, () => void look(false).then(() => !stopped && wait()));
  }

  return {
    start: wait,
    look,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
