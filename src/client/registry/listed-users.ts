import { sameAddress } from "../../core/address.ts";
import { isUserName } from "../../core/names.ts";
import { checkerOf, Host, isRecord, Port, type UserName } from "../../core/schemas.ts";
import { suggest } from "../../core/suggest.ts";
import type { ListedAddress, Users } from "./types.ts";

const isListed = checkerOf({
  type: "object",
  required: ["protocol", "host", "port"],
  properties: { protocol: { type: "string" }, host: Host, port: Port },
});

/**
 * The users in a registry's answer; undefined if it is not a list. Skips invalid addresses, so that one odd peer does
 * not break the list, and nothing is sent to an invalid host.
 */
export function readUsers(body: unknown): Users | undefined {
  if (!isRecord(body)) return undefined;
  const users = new Map<UserName, ListedAddress>();
  for (const [user, value] of Object.entries(body)) {
    if (!isRecord(value)) continue;
    const { protocol, host } = value;
    const address = { protocol, host, port: readPort(value.port) };
    if (isListed(address)) users.set(user, address);
  }
  return users;
}

/** A port may be a decimal string. Not `Number(…)`, which throws on an object such as `{"toString": null}`. */
function readPort(port: unknown): unknown {
  return typeof port === "string" && /^\d{1,5}$/.test(port) ? Number(port) : port;
}

/** The listed user a mistyped name may mean. */
export function nearestUser(name: string, users: Users): UserName | undefined {
  return suggest(name, [...users.keys()].filter(isUserName));
}

/** Differences between two lists; for users who left, with their last address. */
export interface Difference {
  type: "joined" | "moved" | "left";
  user: UserName;
  address: ListedAddress;
}

export function differences(before: Users, after: Users): Difference[] {
  const found: Difference[] = [];
  for (const [user, address] of after) {
    const known = before.get(user);
    if (!known) found.push({ type: "joined", user, address });
    else if (!sameAddress(known, address)) found.push({ type: "moved", user, address });
  }
  for (const [user, address] of before) if (!after.has(user)) found.push({ type: "left", user, address });
  return found;
}
