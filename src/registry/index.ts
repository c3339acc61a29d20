/** The registry as a library: imported as `talk/registry`, and what `bun run registry` runs. */
import { isUnspecified, urlHost } from "../core/address.ts";
import { CannotListen } from "../core/cannot-listen.ts";
import { systemClock } from "../core/clock.ts";
import { createContactRule, type MayContact, withoutLoopbackNames } from "../core/denylist.ts";
import { urlsOfWildcard } from "../core/own-addresses.ts";
import { REGISTRY_PORT, REGISTRY_URL } from "../core/protocol.ts";
import { createChecker } from "./health/checker.ts";
import { openProbers, type Probers } from "./health/probers.ts";
import { createLook, type LookAt } from "./health/reachability.ts";
import { createApp } from "./http/app.ts";
import { createEvents } from "./http/events.ts";
import { placeOf } from "./http/listen-place.ts";
import type { Log, LogEvent } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { openStore } from "./stores/index.ts";
import { logTrouble } from "./stores/outage-log.ts";

/** How long open requests may take to finish when the registry closes, in milliseconds. */
const GRACE_MS = 2500;

/**
 * How long a registry that shares its port keeps answering before it closes, in milliseconds. Each response closes its
 * connection, so clients reconnect to the next registry, and no request arrives on a connection being closed.
 */
const HAND_OVER_MS = 1000;

export interface RegistryOptions {
  /** Where the users are kept: `memory:`, `sqlite:<path>` or `redis://host:port/db`. */
  store: string;
  /** Most registered users. @default 100,000 */
  maxUsers?: number;
  /** What acknowledged writes to `sqlite:` survive: a process crash, or a power failure. @default process */
  durability?: "process" | "power";
  /** Called with each event. @default ignores them */
  log?: Log;
  /** The host name of a proxy on this machine. @default there is none */
  publicHost?: string | undefined;
  /** Whether anybody may change any name. @default false: a secret (`Authorization: Bearer …`) makes its sender the owner */
  open?: boolean | undefined;
  /** Milliseconds between two checks of a user, ±20 %. @default 150,000 */
  checkInterval?: number;
  /** Milliseconds a user has to answer one check. @default 30,000 */
  checkWindow?: number;
  /** Further networks never to contact, such as `10.0.0.0/8`. @default none */
  checkDeny?: readonly string[];
}

export interface Registry {
  /** Answers a request without a socket, as if it came from 127.0.0.1. */
  fetch(request: Request): Promise<Response>;
  /**
   * Starts listening and checking the users. Resolves to the base URL; for a wildcard, one that others can use.
   * @param host @default 127.0.0.1, which only this machine can reach
   * @param port 0 picks a free one. @default 8088
   * @param sharePort lets several registries on one store share the port, to replace one without a gap. @default false
   * @throws CannotListen
   */
  listen(options?: { host?: string; port?: number; sharePort?: boolean }): Promise<string>;
  /** Stops checking, gives open requests up to 2.5 s to finish, and closes the store. */
  close(): Promise<void>;
}

/** Opens the store; call `listen` to serve. @throws UsageError, InvalidInput, StoreUnavailable */
export async function createRegistry({
  store: storeUrl,
  maxUsers,
  durability,
  log: tell = () => {},
  publicHost,
  open,
  checkInterval = 150_000,
  checkWindow = 30_000,
  checkDeny = [],
}: RegistryOptions): Promise<Registry> {
  const rule = createContactRule(checkDeny);
  const ruleForOthers = withoutLoopbackNames(rule);
  /** Whether other machines can register. */
  let onNetwork = publicHost !== undefined;
  const mayContact: MayContact = (ip, host) => (onNetwork ? ruleForOthers : rule)(ip, host);
  const metrics = createMetrics();
  const log = (event: LogEvent) => {
    metrics.logged(event);
    tell(event);
  };
  const onUnreadable = (user: string) => log({ type: "unreadable", user });
  const store = logTrouble(await openStore(storeUrl, { maxUsers, durability, onUnreadable }), log);
  const events = createEvents({ store });
  /** Opened on first use. */
  let probers: Promise<Probers> | undefined;
  const openOnce = () => (probers ??= openProbers(mayContact));
  let look: LookAt | undefined;
  const app = createApp({
    store,
    events,
    metrics,
    log,
    publicHost,
    open,
    async lookAt(user, address) {
      const { proberFor } = await openOnce();
      look ??= createLook({ proberFor, mayContact, clock: systemClock });
      return look(user, address);
    },
  });
  let stopChecking = async () => {};
  let handOver = async () => {};
  let leaving = false;
  let closing: Promise<void> | undefined;

  async function close() {
    events.close();
    const grace = setTimeout(() => void app.server?.stop(true), GRACE_MS);
    await Promise.all([stopChecking(), handOver()]);
    await app.server?.stop();
    clearTimeout(grace);
    await store.close();
  }

  return {
    fetch: async (request) => app.handle(request),
    async listen({ host = "127.0.0.1", port = REGISTRY_PORT, sharePort = false } = {}) {
      if (sharePort) {
        handOver = async () => {
          leaving = true;
          await Bun.sleep(HAND_OVER_MS);
        };
        app.onRequest(({ set }) => {
          if (leaving) set.headers.connection = "close";
        });
      }
      try {
        app.listen({ hostname: host, port, reusePort: sharePort });
      } catch (error) {
        throw CannotListen.from(error, host, port);
      }
      onNetwork = placeOf(app.server, publicHost).onNetwork;
      const { proberFor, close: closeProbers } = await openOnce();
      const checker = createChecker({
        store,
        proberFor,
        log,
        onCheck: metrics.checked,
        interval: checkInterval,
        window: checkWindow,
        clock: systemClock,
        random: Math.random,
      });
      checker.start();
      stopChecking = () => {
        const stopped = checker.stop();
        closeProbers();
        return stopped;
      };
      const bound = app.server?.port ?? port;
      if (!isUnspecified(host)) return `http://${urlHost(host)}:${bound}`;
      return urlsOfWildcard(host, bound)[0] ?? REGISTRY_URL;
    },
    close: () => (closing ??= close()),
  };
}
