/** Finds out why a connection to Redis fails. `RedisClient` gives no reason, so a plain socket tries again. */
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { errorCode } from "../../core/errors.ts";

/** How long Redis may take to answer, in milliseconds. */
const ANSWER_MS = 900;

const CLOSED = "it closes the connection";

/** Redis' default port. */
const PORT = 6379;

/** A server's reply to commands (RESP, https://redis.io/docs/latest/develop/reference/protocol-spec/). */
type RedisReply =
  | { type: "fine" }
  /** Redis' own words, such as `WRONGPASS invalid username-password pair`. */
  | { type: "error"; message: string }
  /** Closed, silent, or not Redis. */
  | { type: "none"; reason: string };

/** Why a connection to a URL fails, in one clause, without the password. */
export async function refusalOf(url: URL): Promise<string> {
  const tls = url.protocol === "rediss:";
  const answer = await ask(url, greeting(url), tls, true);
  if (answer.type === "error") return `Redis at ${url.host} says "${answer.message}"`;
  if (answer.type === "fine") return `Redis at ${url.host} closes the connection`;
  // Try the other of TLS and plain text, without the password: this server has not proved who it is.
  if (answer.reason !== "ECONNREFUSED" && (await ask(url, [["PING"]], !tls, false)).type !== "none") {
    return tls
      ? `Redis at ${url.host} does not speak TLS there; use redis://`
      : `Redis at ${url.host} speaks TLS there; use rediss://`;
  }
  return `no Redis answers at ${url.host} (${answer.reason})`;
}

/** The commands with which `RedisClient` opens a connection. */
function greeting({ username, password, pathname }: URL): string[][] {
  const secret = decodeURIComponent(password);
  const login = secret ? ["AUTH", decodeURIComponent(username) || "default", secret] : [];
  const database = pathname.slice(1) || "0";
  return [["HELLO", "3", ...login], ...(database === "0" ? [] : [["SELECT", database]])];
}

/** Resolves to the first error among the replies. @param verify whether to verify the TLS certificate */
function ask(url: URL, commands: string[][], tls: boolean, verify: boolean): Promise<RedisReply> {
  const { promise, resolve } = Promise.withResolvers<RedisReply>();
  const none = (reason: string) => resolve({ type: "none", reason });
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(url.port || PORT) };
  // SNI takes no IP addresses (RFC 6066 §3).
  const servername = isIP(host) ? undefined : host;
  const socket = tls ? connectTls({ ...to, servername, rejectUnauthorized: verify }) : connect(to);
  let answers = "";
  const late = setTimeout(none, ANSWER_MS, "silent");
  socket.on(tls ? "secureConnect" : "connect", () => socket.write(commands.map(encode).join("")));
  socket.on("data", (chunk: Buffer) => {
    answers += chunk.toString("latin1");
    const [, error] = /^-(.*?)\r\n/m.exec(answers) ?? [];
    // RESP 3 greets with a map; SELECT and PING get a simple string.
    const done = commands.length > 1 ? /^\+/m : /^[%*+]/;
    if (error !== undefined) resolve({ type: "error", message: error });
    else if (done.test(answers)) resolve({ type: "fine" });
    else if (!/^[%*+-]/.test(answers)) none("another service");
  });
  socket.on("error", (error) => {
    const code = errorCode(error) ?? error.message;
    none(code === "ECONNRESET" || code === "EPIPE" ? CLOSED : code);
  });
  socket.on("close", () => none(CLOSED));
  return promise.finally(() => {
    clearTimeout(late);
    socket.destroy();
  });
}

function encode(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}
