/** What comes before a chat: to find the registry, to listen, and to register. */
import type { MayContact } from "../core/denylist.ts";
import { TalkError } from "../core/errors.ts";
import type { UserName } from "../core/schemas.ts";
import { type Endpoint, type EndpointOptions, openEndpoint } from "./inbound/endpoint.ts";
import { connectRegistry } from "./registry/api.ts";
import { type OwnRegistration, register } from "./registry/registration.ts";
import { contactRuleFor, isShared, routeTo } from "./registry/route.ts";
import { openSecrets, type SecretOf } from "./registry/secrets.ts";
import type { RegistryApi } from "./registry/types.ts";
import { statePath } from "./state-directory.ts";

export interface ListenAndRegisterOptions extends EndpointOptions {
  /** @default the login name, if need be with `-2`, `-3`, … behind it */
  name: UserName | undefined;
  /** The registry's base URL. */
  registry: string;
}

export interface Joined {
  registry: RegistryApi;
  endpoint: Endpoint;
  registration: OwnRegistration;
  /** Whether the registry is for other machines too. */
  shared: boolean;
  /** Whom messages may go to at all. */
  mayContact: MayContact;
  /** Messages a second that are taken from one source; 0 for any number. */
  rateLimit: number;
  /** Why the name is not ours alone, if it is not. */
  noKey: string | undefined;
}

/** @throws CannotListen, RegistryUnreachable, NoRegistry, RegistryRefused, TalkError if the name is taken */
export async function listenAndRegister({
  name,
  registry: url,
  ...options
}: ListenAndRegisterOptions): Promise<Joined> {
  const { secretOf, noKey } = secretsFor(url);
  const registry = connectRegistry(url, secretOf);
  const route = await routeTo(registry.url);
  const shared = await isShared(route, registry);
  const mayContact = contactRuleFor(route, shared);
  const endpoint = await openEndpoint(options, { registryUrl: registry.url, route, shared });
  try {
    const registration = await register(registry, name, endpoint.address, mayContact);
    return { registry, endpoint, registration, shared, mayContact, rateLimit: options.rateLimit, noKey };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** Without a key one joins all the same: registries need none. */
function secretsFor(url: string): { secretOf?: SecretOf; noKey?: string } {
  try {
    return { secretOf: openSecrets(url, statePath("key", process.env)) };
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return { noKey: error.message };
  }
}
