/** The registry as a client sees it, over fetch. */
import { RegistryRefused, RegistryUnreachable } from "../core/errors.ts";
import { REGISTRY_PATHS } from "../core/protocol.ts";
import { type Address, isRecord, type UserName } from "../core/schemas.ts";

/** How long the registry may take for an answer, in milliseconds. */
const ANSWER_MS = 5000;

/** Refusals that a body of another form does not change: of who asks, of the name, of how often. */
const FINAL = [401, 403, 409, 429];

/** An address in the list; peers of another make may listen on protocols that we do not know. */
export interface ListedAddress {
  protocol: string;
  host: string;
  port: number;
}

/** The users by name. */
export type Users = ReadonlyMap<UserName, ListedAddress>;

/** Each method throws RegistryUnreachable without an answer of a registry, and RegistryRefused when it says no. */
export interface Registry {
  url: string;
  list(signal?: AbortSignal): Promise<Users>;
  /** Adds a user; false if the name is taken. */
  create(user: UserName, address: Address): Promise<boolean>;
  put(user: UserName, address: Address): Promise<void>;
  remove(user: UserName, signal?: AbortSignal): Promise<void>;
}

/** @param url of the registry, with or without a path and a slash behind it */
export function connectRegistry(url: string): Registry {
  const base = url.replace(/\/+$/, "");
  const users = `${base}${REGISTRY_PATHS.users}`;
  /** With the slash behind it, which is the form that most makes of registry know. */
  let listPath = `${users}/`;
  /** The last list, to be told that it still holds. */
  let known: { etag: string; users: Users } | undefined;

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS), ...init });
    } catch (error) {
      throw new RegistryUnreachable(base, reasonOf(error));
    }
  }

  async function expectOk(response: Response): Promise<void> {
    if (!response.ok) throw new RegistryRefused(response.status, await explanation(response));
  }

  return {
    url: base,
    async list(signal) {
      const headers = known && { "if-none-match": known.etag };
      const init = { ...(headers && { headers }), ...(signal && { signal }) };
      let response = await ask(listPath, init);
      if (response.status === 404 && listPath !== users) {
        response = await ask(users, init);
        if (response.ok) listPath = users;
      }
      if (response.status === 304 && known) return known.users;
      await expectOk(response);
      const body: unknown = await response.json().catch(() => undefined);
      if (!isRecord(body)) throw new RegistryUnreachable(base, "something else answers there");
      const etag = response.headers.get("etag");
      const list = readUsers(body);
      known = etag === null ? undefined : { etag, users: list };
      return list;
    },
    async create(user, address) {
      let response = await ask(users, withJson("POST", { user, address }));
      // Some makes of registry call it `name`, and say in many ways that they miss it.
      if (!response.ok && !FINAL.includes(response.status)) {
        const again = await ask(users, withJson("POST", { name: user, address }));
        // If that is no better, the first answer is the one that makes sense.
        if (again.ok || again.status === 409) response = again;
      }
      if (response.status === 409) return false;
      await expectOk(response);
      return true;
    },
    async put(user, address) {
      await expectOk(await ask(`${users}/${user}`, withJson("PUT", address)));
    },
    async remove(user, signal) {
      await expectOk(await ask(`${users}/${user}`, { method: "DELETE", ...(signal && { signal }) }));
    },
  };
}

/** Entries that are no address are left out, so that one odd peer does not break the list. */
function readUsers(body: Record<string, unknown>): Users {
  const users = new Map<UserName, ListedAddress>();
  for (const [user, address] of Object.entries(body)) {
    if (!isRecord(address)) continue;
    const { protocol, host } = address;
    const port = Number(address.port);
    if (typeof protocol === "string" && typeof host === "string" && Number.isInteger(port)) {
      users.set(user, { protocol, host, port });
    }
  }
  return users;
}

function withJson(method: string, body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** The sentence in an error's body, which every make of registry may write in its own way, or not at all. */
async function explanation(response: Response): Promise<string> {
  const text = (await response.text().catch(() => "")).slice(0, 512);
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  if (message === undefined) return "";
  try {
    return `the registry says: ${JSON.parse(message)}`;
  } catch {
    return "";
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer";
  if ("code" in error && error.code === "ECONNREFUSED") return "connection refused";
  if ("code" in error && error.code === "ENOTFOUND") return "no such host";
  return error.message;
}
