/** The registry's HTTP API, over fetch. */
import {
  errorCode,
  NoRegistry,
  RegistryRefused,
  RegistryUnreachable,
  type TalkError,
} from "../../core/errors.ts";
import { parseJson, readAtMost, readRetryAfter } from "../../core/http.ts";
import { REACH_HEADER, REGISTRY_PATHS } from "../../core/protocol.ts";
import { isCompressed, request } from "../../core/request.ts";
import { isRecord, type UserName } from "../../core/schemas.ts";
import { unreachable } from "../network-errors.ts";
import { readUsers } from "./listed-users.ts";
import type { SecretOf } from "./secrets.ts";
import type { RegistryApi, Users } from "./types.ts";

/** How long the registry may take to answer, in milliseconds. */
const ANSWER_MS = 5000;

/** Refusals that another body format would not change: of the client, the name, or the rate. */
const FINAL = [401, 403, 409, 429];

/** Most bytes of a list: enough for 100,000 users with the longest names and hosts. */
const MAX_LIST_BYTES = 48 * 1024 * 1024;

/** Most bytes of an error's body that are read. */
const MAX_EXPLANATION_BYTES = 4096;

/** Statuses of a path at which users can be neither listed nor added. */
const UNKNOWN_PATH = [404, 405];

/**
 * @param url the registry's URL, with or without a path and a trailing slash
 * @param secretOf the secrets that prove to this registry alone that a name is ours
 */
export function connectRegistry(url: string, secretOf?: SecretOf): RegistryApi {
  const base = url.replace(/\/+$/, "");
  const users = `${base}${REGISTRY_PATHS.users}`;
  /** With a trailing slash, the form most registries accept. */
  let listPath = `${users}/`;
  /** The last list and its ETag, so that the registry can answer 304. */
  let known: { etag: string; users: Users } | undefined;
  /** Whether other machines can reach the registry, as its last answer said. */
  let onNetwork: boolean | undefined;

  async function ask(path: string, init: Parameters<typeof request>[1] = {}): Promise<Response> {
    const response = await request(path, { signal: AbortSignal.timeout(ANSWER_MS), ...init }).catch(
      (error) => {
        throw failureOf(base, error);
      },
    );
    onNetwork = response.headers.get(REACH_HEADER) === "network";
    if (!isCompressed(response)) return response;
    await response.body?.cancel();
    throw new NoRegistry(base, "its answers are compressed");
  }

  /** A server without the path of the users is not a registry; any other error is a registry's refusal. */
  async function expectRegistry(response: Response): Promise<void> {
    if (UNKNOWN_PATH.includes(response.status)) {
      throw new NoRegistry(base, `it has no users at ${REGISTRY_PATHS.users}`);
    }
    await expectOk(response);
  }

  async function expectOk(response: Response): Promise<void> {
    if (response.ok) return;
    const moved = response.headers.get("location");
    const sentence = moved ? `the registry has moved to ${moved}` : await explanation(response);
    throw new RegistryRefused(response.status, sentence, waitOf(response));
  }

  /** Does not follow redirects: fetch would turn a POST into a GET (RFC 9110 §15.4), and send the secret along. */
  function write(method: string, user: UserName, body?: unknown) {
    const headers: Record<string, string> = {};
    if (secretOf) headers.authorization = `Bearer ${secretOf(user)}`;
    if (body === undefined) return { method, headers };
    headers["content-type"] = "application/json";
    return { method, headers, body: JSON.stringify(body) };
  }

  return {
    url: base,
    async list(signal) {
      const headers = known && { "if-none-match": known.etag };
      const init = { redirect: "follow" as const, ...(headers && { headers }), ...(signal && { signal }) };
      let response = await ask(listPath, init);
      if (response.status === 404 && listPath !== users) {
        response = await ask(users, init);
        if (response.ok) listPath = users;
      }
      if (response.status === 304 && known) return known.users;
      await expectRegistry(response);
      const list = readUsers(await jsonOf(response, MAX_LIST_BYTES));
      if (!list) throw new NoRegistry(base, "its answer is no list of users");
      const etag = response.headers.get("etag");
      known = etag === null ? undefined : { etag, users: list };
      return list;
    },
    async create(user, address) {
      let response = await ask(users, write("POST", user, { user, address }));
      // Some registries call it `name`, and report its absence in many ways.
      if (response.status >= 400 && !FINAL.includes(response.status)) {
        const again = await ask(users, write("POST", user, { name: user, address }));
        // If that fails too, the first answer is the one that makes sense.
        if (again.ok || again.status === 409) response = again;
      }
      if (response.status === 409) return (await isOwn(response)) ? "own" : "taken";
      await expectRegistry(response);
      // Other registries confirm in many ways, but never with an HTML page.
      if (response.headers.get("content-type")?.startsWith("text/html")) {
        throw new NoRegistry(base, "it answers with a web page");
      }
      return "created";
    },
    async put(user, address) {
      await expectOk(await ask(`${users}/${user}`, write("PUT", user, address)));
    },
    async remove(user, signal) {
      await expectOk(await ask(`${users}/${user}`, { ...write("DELETE", user), ...(signal && { signal }) }));
    },
    async isOnNetwork() {
      if (onNetwork === undefined) await (await ask(`${base}${REGISTRY_PATHS.health}`)).body?.cancel();
      return onNetwork === true;
    },
    async reach(user) {
      const response = await ask(`${users}/${user}/reach`, write("POST", user));
      if (UNKNOWN_PATH.includes(response.status)) {
        await response.body?.cancel();
        return undefined;
      }
      await expectOk(response);
      const found = await jsonOf(response, MAX_EXPLANATION_BYTES);
      if (!isRecord(found)) return undefined;
      const { reached, reason, from } = found;
      if ((reached !== "yes" && reached !== "no") || typeof reason !== "string") return undefined;
      return {
        reached: reached === "yes",
        reason,
        from: typeof from === "string" ? from : undefined,
      };
    },
  };
}

/** The JSON of an answer; undefined if it is not JSON, or longer than `limit` bytes. */
async function jsonOf({ body }: Response, limit: number): Promise<unknown> {
  return readAtMost(body, limit)
    .then(parseJson)
    .catch(() => undefined);
}

/** Whether a refusal says that the name is already ours. */
async function isOwn(response: Response): Promise<boolean> {
  const body = await jsonOf(response, MAX_EXPLANATION_BYTES);
  return isRecord(body) && body.owner === "you";
}

/** The seconds a registry asks us to wait; undefined if it does not. */
function waitOf({ headers }: Response): number | undefined {
  const ms = readRetryAfter(headers.get("retry-after"));
  return ms === undefined ? undefined : ms / 1000;
}

/** The message in an error's body, which each registry may format in its own way, or omit. */
async function explanation(response: Response): Promise<string> {
  const body = await readAtMost(response.body, MAX_EXPLANATION_BYTES).catch(() => new Uint8Array());
  const text = new TextDecoder().decode(body).slice(0, 512);
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  if (message === undefined) return "";
  try {
    return `the registry says: ${JSON.parse(message)}`;
  } catch {
    return "";
  }
}

/** Why a registry could not be asked. */
export function failureOf(url: string, error: unknown): TalkError {
  switch (errorCode(error)) {
    case "EPROTO":
      return new NoRegistry(url, "it does not speak TLS; try http://");
    case "Malformed_HTTP_Response":
      return new NoRegistry(url, "it does not speak HTTP");
    case "UnsupportedRedirectProtocol":
    case "RedirectURLInvalid":
      return new NoRegistry(url, "it redirects to what is no web address");
    case "TooManyRedirects":
      return new NoRegistry(url, "it redirects without end");
    case "ECONNRESET":
      return new RegistryUnreachable(url, "the connection was closed");
    default:
      return new RegistryUnreachable(url, reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer";
  // Drops Bun's advice, which is meant for programmers.
  return unreachable(error) ?? error.message.replace(/\.? For more information, pass .*/s, "");
}
