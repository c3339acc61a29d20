/** Rejects cross-origin browser requests and DNS rebinding, by `Origin` and `Host`. */
import { isLoopback } from "./address.ts";
import { refused } from "./errors.ts";

/** Hosts that no attacker's DNS can point at us: IP addresses in any notation, and single labels (`db`). */
const SAFE_HOST = /^(?:[\d.]+|\[[\da-f:.]+\]|[a-z\d_-]+)(?::\d*)?$/i;

/**
 * A check to run before handling any request or upgrade. It throws `foreign-origin` for a page of another origin (the
 * same-origin policy does not cover WebSockets) and, on a loopback listener, `foreign-host` for a name that an attacker
 * may have pointed here (DNS rebinding, such as CVE-2025-66414). A missing `Origin` passes, because only browsers send
 * one; so does a missing `Host`.
 * @param listenHost the host we were told to listen on
 * @param publicHost our name behind a proxy, if there is one
 */
export function createOriginGuard(listenHost: string, publicHost?: string): (request: Request) => void {
  const rebindable = isLoopback(listenHost);
  const ownName = publicHost?.toLowerCase();

  return ({ headers }) => {
    const origin = headers.get("origin");
    if (origin !== null && !isOwn(origin, headers.get("host"), ownName)) throw refused("foreign-origin");
    if (!rebindable) return;
    const host = headers.get("host");
    if (host === null || SAFE_HOST.test(host)) return;
    if (host.replace(/:\d*$/, "").toLowerCase() !== ownName) throw refused("foreign-host");
  };
}

/**
 * Whether an origin (RFC 6454) matches the `Host` header or the proxy's name. The scheme is not compared, because a
 * proxy may terminate https for us; it only supplies the default port. The origin `null` never matches.
 */
function isOwn(origin: string, host: string | null, ownName: string | undefined): boolean {
  const from = URL.parse(origin);
  if (!from || !["http:", "https:"].includes(from.protocol)) return false;
  if (from.hostname === ownName) return true;
  return host !== null && URL.parse(`${from.protocol}//${host}`)?.host === from.host;
}
