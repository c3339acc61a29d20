/** Refuses requests that a foreign web page had a browser send, by `Origin` and `Host`. */
import { isLoopback } from "./address.ts";
import { refused } from "./errors.ts";

/** Hosts that no stranger's name server can point at us: IP addresses in any notation, and single labels (`db`). */
const SAFE_HOST = /^(?:[\d.]+|\[[\da-f:.]+\]|[a-z\d_-]+)(?::\d*)?$/i;

/**
 * A check for every request and upgrade, before anything is done with it. It throws `foreign-origin` for a page of
 * another origin (a page may open any WebSocket), and on a loopback listener `foreign-host` for a name that a
 * stranger may have pointed here (DNS rebinding, such as CVE-2025-66414). Who sends no `Origin`, as every program
 * but a browser does, passes the first; who names no host passes the second.
 * @param listenHost where we listen, as it was asked for
 * @param publicHost as others know us through a proxy, if there is one
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
 * Whether an origin (RFC 6454) is that of the host asked for, or of the proxy in front. The scheme is not compared,
 * because a proxy may speak https for us; it only tells the port where none is written. `null` is nobody's.
 */
function isOwn(origin: string, host: string | null, ownName: string | undefined): boolean {
  const from = URL.parse(origin);
  if (!from || !["http:", "https:"].includes(from.protocol)) return false;
  if (from.hostname === ownName) return true;
  return host !== null && URL.parse(`${from.protocol}//${host}`)?.host === from.host;
}
