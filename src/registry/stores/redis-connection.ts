/** The connection to Redis, reopened with backoff whenever it is lost or leads to the wrong server. */
import { RedisClient } from "bun";
import { errorCode, StoreUnavailable } from "../../core/errors.ts";
import { refusalOf } from "./redis-refusal.ts";

/** How long Redis may take to answer, in milliseconds: with our own overhead, less than 1 s. */
const ANSWER_MS = 900;

/** How often to look for overdue answers, in milliseconds. */
const LOOK_MS = 50;

/**
 * The pause before each attempt, in milliseconds: exponential backoff with full jitter, so that registries do not all
 * reconnect at once (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Short enough to write
 * again within 5 s of a failover.
 */
const PAUSE_MS = { least: 20, first: 200, most: 2000 };

/** A connection that lasted this long resets the backoff, in milliseconds. */
const GOOD_MS = 10_000;

/** Errors of a server that cannot serve us, or not yet: another one has taken over, or it is starting. */
const WRONG_SERVER =
  /^(READONLY|MASTERDOWN|UNBLOCKED|MOVED|ASK|TRYAGAIN|CROSSSLOT|CLUSTERDOWN|LOADING|NOAUTH)\b/;

/** What to do about errors caused by a wrong `--store`. */
const HINTS: [RegExp, string][] = [
  [/^(WRONGPASS|NOAUTH)/, "check the user and password of --store"],
  [/^NOPERM|can't (run|access)/, "grant this user the commands listed in docs/operations.md"],
  [/^(READONLY|MASTERDOWN)/, "name the primary in --store"],
  [/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)|cluster mode/, "use a Redis that is not in cluster mode"],
  [/^ERR (DB index|invalid DB)/, "choose another database in --store"],
];

/** Sentences for clients; only the operator learns the reason. */
const AWAY = "The store is not responding; try again soon.";
const REFUSED = "The store cannot be used now; try again soon.";

export interface RedisCommands {
  /** Sends a command. @throws StoreUnavailable at once without a connection, else within 1 s */
  send(command: string, args: string[]): Promise<unknown>;
  /** Runs a Lua script, atomically. @throws StoreUnavailable as `send` does */
  run(script: string, keys: readonly string[], args: string[]): Promise<unknown>;
}

export interface RedisConnection extends RedisCommands {
  close(): void;
}

/** One connection, until it ends. */
interface LiveConnection extends RedisCommands {
  /** Why it ended: our reason, or `lost` if Redis closed it; undefined while it lasts. */
  ended(): string | undefined;
  end(reason: string): void;
  /** Resolves once it has ended. */
  gone: Promise<void>;
}

const LOST = "lost";

/**
 * Connects, and reconnects whenever the connection ends.
 * @param url `redis://[user:password@]host:port/db`, or `rediss://` for TLS
 * @param trial tests each new connection; the first must pass
 * @throws StoreUnavailable
 */
export async function connectRedis(
  url: string,
  trial: (redis: RedisCommands) => Promise<void>,
): Promise<RedisConnection> {
  const target = new URL(url);
  const first = await attempt().catch((error) => ({ link: endedConnection(""), failure: error }));
  if (first.failure !== undefined) {
    first.link.end("refused");
    throw atStart(first.failure);
  }
  let { link } = first;
  let closed = false;
  void stayConnected();

  /** Opens a connection and tests it. @throws StoreUnavailable if it was lost meanwhile */
  async function attempt(): Promise<{ link: LiveConnection; failure?: unknown }> {
    const opened = await openConnection(target);
    const failure = await trial(opened).catch((error: unknown) => error);
    const reason = opened.ended();
    if (reason === undefined) return { link: opened, failure };
    throw new StoreUnavailable(AWAY, reason === LOST ? await refusalOf(target) : reason);
  }

  async function stayConnected(): Promise<void> {
    let failures = 0;
    for (;;) {
      const since = performance.now();
      await link.gone;
      if (performance.now() - since > GOOD_MS) failures = 0;
      const grown = Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** failures++);
      await Bun.sleep(PAUSE_MS.least + Math.random() * (grown - PAUSE_MS.least));
      if (closed) return;
      // Keep the connection if the trial fails otherwise, as with a full memory: some commands may still work.
      link = await attempt().then(
        (next) => next.link,
        (error) => endedConnection(reasonOf(error)),
      );
      if (closed) link.end("closed");
    }
  }

  return {
    send: (command, args) => link.send(command, args),
    run: (script, keys, args) => link.run(script, keys, args),
    close() {
      closed = true;
      link.end("closed");
    },
  };
}

/** @throws StoreUnavailable */
async function openConnection(url: URL): Promise<LiveConnection> {
  // The client's own queue and reconnects would let a command wait too long.
  const client = new RedisClient(url.href, {
    connectionTimeout: ANSWER_MS,
    autoReconnect: false,
    enableOfflineQueue: false,
  });
  try {
    await client.connect();
  } catch {
    throw new StoreUnavailable(AWAY, await refusalOf(url));
  }
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  /** Unanswered commands, oldest first. */
  const unanswered = new Set<{ sent: number }>();
  const watch = setInterval(endIfSilent, LOOK_MS);
  let ended: string | undefined;
  client.onclose = () => end(LOST);

  function end(reason: string): void {
    if (ended !== undefined) return;
    ended = reason;
    clearInterval(watch);
    client.close();
    resolve();
  }

  /** Answers come in order, so one overdue answer blocks all that follow: start over on a new connection. */
  function endIfSilent(): void {
    const [oldest] = unanswered;
    if (oldest && performance.now() - oldest.sent > ANSWER_MS - LOOK_MS)
      end(`Redis at ${url.host} did not answer in time`);
  }

  async function ask(command: string, args: string[]): Promise<unknown> {
    const waiting = { sent: performance.now() };
    unanswered.add(waiting);
    try {
      return await client.send(command, args);
    } finally {
      unanswered.delete(waiting);
    }
  }

  /** The error to throw for a failed command. */
  function unavailable(error: unknown): unknown {
    if (!isRedisError(error)) return error;
    if (!isServerError(error)) {
      return new StoreUnavailable(AWAY, ended === undefined || ended === LOST ? lost(url) : ended);
    }
    const words = ownWords(error.message);
    const reason = `Redis at ${url.host} says "${words}"`;
    if (WRONG_SERVER.test(words)) end(reason);
    return new StoreUnavailable(REFUSED, reason);
  }

  return {
    async send(command, args) {
      try {
        return await ask(command, args);
      } catch (error) {
        throw unavailable(error);
      }
    },
    async run(script, keys, args) {
      const rest = [String(keys.length), ...keys, ...args];
      try {
        try {
          return await ask("EVALSHA", [digestOf(script), ...rest]);
        } catch (error) {
          // Redis was restarted or told to flush its scripts: EVAL loads the script again.
          if (!isServerError(error) || !error.message.startsWith("NOSCRIPT")) throw error;
          return await ask("EVAL", [script, ...rest]);
        }
      } catch (error) {
        throw unavailable(error);
      }
    },
    ended: () => ended,
    end,
    gone,
  };
}

/** A connection that never opened. */
function endedConnection(reason: string): LiveConnection {
  const refuse = () => Promise.reject(new StoreUnavailable(AWAY, reason));
  return { send: refuse, run: refuse, ended: () => reason, end() {}, gone: Promise.resolve() };
}

/** Why the first connection failed, in one line for the operator. */
function atStart(error: unknown): unknown {
  if (!(error instanceof StoreUnavailable)) return error;
  const [, words = ""] = /says "(.*)"$/.exec(error.reason) ?? [];
  const [, hint] = HINTS.find(([pattern]) => pattern.test(words)) ?? [];
  return new StoreUnavailable(
    `cannot open the store: ${error.reason}; ${hint ?? "check Redis, and the host and port of --store"}`,
  );
}

function reasonOf(error: unknown): string {
  return error instanceof StoreUnavailable ? error.reason : String(error);
}

function lost({ host }: URL): string {
  return `the connection to Redis at ${host} was lost`;
}

const digests = new Map<string, string>();

/** The SHA-1 by which EVALSHA names a script. */
function digestOf(script: string): string {
  const digest = digests.get(script) ?? new Bun.CryptoHasher("sha1").update(script).digest("hex");
  digests.set(script, digest);
  return digest;
}

function isRedisError(error: unknown): boolean {
  return errorCode(error)?.startsWith("ERR_REDIS_") ?? false;
}

/** Whether Redis answered with an error. */
function isServerError(error: unknown): error is Error {
  return error instanceof Error && errorCode(error) === "ERR_REDIS_SERVER_ERROR";
}

/** A Redis error without the script's digest and line, which Redis 7 appends and Redis 6 prepends. */
function ownWords(message: string): string {
  return message
    .replace(/^ERR Error running script.*@user_script: ?\d+: -?/, "")
    .replace(/ script: [0-9a-f]{40}, on @user_script:\d+\.?$/, "");
}
