/** Our registration: claimed, moved, renewed and removed. */
import { sameAddress } from "../../core/address.ts";
import { systemClock } from "../../core/clock.ts";
import type { MayContact } from "../../core/denylist.ts";
import { RegistryRefused, TalkError } from "../../core/errors.ts";
import { MAX_NAME_LENGTH } from "../../core/protocol.ts";
import type { Address, UserName } from "../../core/schemas.ts";
import { loginName } from "../login-name.ts";
import { isPresent } from "./liveness.ts";
import type { RegistryApi } from "./types.ts";

/** How long unregistering may take, in milliseconds: leaving takes at most 3 s in all. */
const UNREGISTER_MS = 2000;

/** How many names to try if the user chose none. */
const NAME_ATTEMPTS = 1000;

export interface OwnRegistration {
  name: UserName;
  /** The address last registered. */
  readonly address: Address;
  /** Moves the registration; false if the registry refused, or the name is somebody else's by now. */
  move(to: Address): Promise<boolean>;
  /**
   * Registers again after the registry lost us; false if somebody else was faster, or it is too early to ask again.
   * @throws RegistryUnreachable, NoRegistry, RegistryRefused
   */
  renew(address: Address): Promise<boolean>;
  /** Removes the registration, if it is still ours; false if the registry could not be asked. */
  unregister(address: Address): Promise<boolean>;
}

/**
 * Registers an address.
 * @param name by default the login name, with `-2`, `-3`, … appended if taken
 * @throws RegistryUnreachable, NoRegistry, RegistryRefused, TalkError if the name is taken
 */
export async function register(
  registry: RegistryApi,
  name: UserName | undefined,
  address: Address,
  mayContact: MayContact,
): Promise<OwnRegistration> {
  const registered = await claimName(registry, name, address, mayContact);
  let known = address;
  /** Earliest time to renew, as asked by the registry, by the system clock. */
  let renewFrom = 0;

  return {
    name: registered,
    get address() {
      return known;
    },
    async move(to) {
      const result = await moveTo(registry, registered, known, to);
      if (result !== "not yet") known = to;
      return result === "moved";
    },
    async renew(address) {
      if (systemClock.now() < renewFrom) return false;
      try {
        // If somebody else was faster, the next list shows it.
        return (await registry.create(registered, address)) === "created";
      } catch (error) {
        if (error instanceof RegistryRefused) renewFrom = systemClock.now() + 1000 * (error.waitSeconds ?? 0);
        throw error;
      }
    },
    unregister: (address) => unregister(registry, registered, [address, known]),
  };
}

async function claimName(
  registry: RegistryApi,
  name: UserName | undefined,
  address: Address,
  mayContact: MayContact,
): Promise<UserName> {
  const wanted = name ?? (await loginName());
  const attempts = name === undefined ? NAME_ATTEMPTS : 1;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const suffix = attempt === 1 ? "" : `-${attempt}`;
    const candidate = wanted.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
    const answer = await registry.create(candidate, address);
    if (answer === "created") return candidate;
    const holder = (await registry.list()).get(candidate);
    // The holder is left over from a crash if it has the address we have just bound, or our key and nobody answers.
    const left =
      holder &&
      (sameAddress(holder, address) || (answer === "own" && !(await isPresent(holder, mayContact))));
    if (left && (await reclaim(registry, candidate, address))) return candidate;
  }
  throw new TalkError("name-taken", `the name ${wanted} is taken; choose another with --name`);
}

/** False if the name is somebody else's. */
async function reclaim(registry: RegistryApi, name: UserName, address: Address): Promise<boolean> {
  try {
    await registry.put(name, address);
    return true;
  } catch (error) {
    if (error instanceof RegistryRefused && [401, 403].includes(error.status)) return false;
    throw error;
  }
}

/** Moves a registration, unless somebody else has taken the name meanwhile. */
async function moveTo(
  registry: RegistryApi,
  name: UserName,
  from: Address,
  to: Address,
): Promise<"moved" | "taken" | "not yet"> {
  try {
    const listed = (await registry.list()).get(name);
    if (!listed) return (await registry.create(name, to)) === "created" ? "moved" : "taken";
    if (sameAddress(listed, to)) return "moved";
    if (!sameAddress(listed, from)) return "taken";
    await registry.put(name, to);
    return "moved";
  } catch (error) {
    if (error instanceof TalkError) return "not yet";
    throw error;
  }
}

async function unregister(
  registry: RegistryApi,
  name: UserName,
  addresses: readonly Address[],
): Promise<boolean> {
  const deadline = AbortSignal.timeout(UNREGISTER_MS);
  try {
    const registered = (await registry.list(deadline)).get(name);
    // Somebody else's by now, or gone: not ours to remove.
    if (registered && addresses.some((each) => sameAddress(registered, each)))
      await registry.remove(name, deadline);
    return true;
  } catch {
    return false;
  }
}
