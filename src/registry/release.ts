import { UsageError } from "../core/errors.ts";
import { parse, UserParams } from "../core/schemas.ts";
import { openStore } from "./stores/index.ts";

/**
 * Removes a name's owner or reservation, in a store that a running registry may be using. Resolves to a sentence that
 * says what was done. @throws UsageError, InvalidInput, StoreUnavailable
 */
export async function release(storeUrl: string, name: string): Promise<string> {
  const { user } = parse(UserParams, { user: name });
  if (storeUrl === "memory:") {
    throw new UsageError("--release needs the --store of a registry; no other process can open memory:");
  }
  const store = await openStore(storeUrl, { mustExist: true });
  try {
    const released = await store.release(user);
    return released ? `anybody may register ${user} now` : `${user} has no owner and is not reserved`;
  } finally {
    await store.close();
  }
}
