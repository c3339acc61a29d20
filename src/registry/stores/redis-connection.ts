/** One connection to Redis, which is there again by itself after Redis was away, and never hangs. */
import { RedisClient } from "bun";
import { errorCode, StoreUnavailable } from "../../core/errors.ts";

/** How long Redis may take for an answer, in milliseconds: with what lies around it, less than 1 s. */
const ANSWER_MS = 900;

/** How often one looks whether Redis has answered, or is back, in milliseconds. */
const LOOK_MS = 50;
const RECONNECT_MS = 250;

export interface RedisConnection {
  /** Sends a command; those sent together travel together. @throws StoreUnavailable at once without a connection, else within 1 s */
  send(command: string, args: string[]): Promise<unknown>;
  /** Runs a Lua script, which Redis runs as a whole or not at all. @throws StoreUnavailable as `send` does */
  run(script: string, keys: readonly string[], args: string[]): Promise<unknown>;
  close(): void;
}

/** @param url `redis://[user:password@]host:port/db`, or `rediss://` for TLS. @throws StoreUnavailable */
export async function connectRedis(url: string): Promise<RedisConnection> {
  const { host } = new URL(url);
  let client = await open();
  let closed = false;
  /** Commands without an answer, the oldest first, by the time they were sent. */
  const unanswered = new Set<{ sent: number }>();
  const watch = setInterval(dropIfSilent, LOOK_MS);
  const digests = new Map<string, string>();

  async function open(): Promise<RedisClient> {
    // Its own queue and its own attempts would let a command wait for longer than anybody should.
    const fresh = new RedisClient(url, {
      connectionTimeout: ANSWER_MS,
      autoReconnect: false,
      enableOfflineQueue: false,
    });
    try {
      await fresh.connect();
    } catch {
      throw new StoreUnavailable(
        `cannot open the store: no Redis answers at ${host}; start it, or check the host, port, user, password and database of --store`,
      );
    }
    fresh.onclose = () => void reconnect();
    return fresh;
  }

  async function reconnect(): Promise<void> {
    while (!closed) {
      try {
        client = await open();
        return;
      } catch {
        await Bun.sleep(RECONNECT_MS);
      }
    }
  }

  /** Answers come in order, so whoever waits for one waits for all: what is sent on a new connection need not. */
  function dropIfSilent(): void {
    const [oldest] = unanswered;
    if (oldest && performance.now() - oldest.sent > ANSWER_MS - LOOK_MS) client.close();
  }

  async function send(command: string, args: string[]): Promise<unknown> {
    const waiting = { sent: performance.now() };
    unanswered.add(waiting);
    try {
      return await client.send(command, args);
    } catch (error) {
      if (errorCode(error) !== "ERR_REDIS_CONNECTION_CLOSED") throw error;
      throw new StoreUnavailable("The store does not answer now; try again soon.");
    } finally {
      unanswered.delete(waiting);
    }
  }

  function digestOf(script: string): string {
    const digest = digests.get(script) ?? new Bun.CryptoHasher("sha1").update(script).digest("hex");
    digests.set(script, digest);
    return digest;
  }

  return {
    send: (command, args) => send(command, args).catch(refuse),
    async run(script, keys, args) {
      const rest = [String(keys.length), ...keys, ...args];
      try {
        return await send("EVALSHA", [digestOf(script), ...rest]);
      } catch (error) {
        // Redis has been started anew, or was told to forget its scripts; this teaches it the script again.
        if (isServerError(error) && error.message.startsWith("NOSCRIPT")) {
          return await send("EVAL", [script, ...rest]).catch(refuse);
        }
        return refuse(error);
      }
    },
    close() {
      closed = true;
      clearInterval(watch);
      client.close();
    },
  };
}

/** Redis answered, and the answer was an error. */
function isServerError(error: unknown): error is Error {
  return error instanceof Error && errorCode(error) === "ERR_REDIS_SERVER_ERROR";
}

/** Redis may be loading its data, be a replica, or have no memory or disk left: it says which. */
function refuse(error: unknown): never {
  if (!isServerError(error)) throw error;
  throw new StoreUnavailable(`The store cannot be used now: Redis says ${error.message}`);
}
