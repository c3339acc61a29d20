/** Joins: finds the registry, listens, and registers. */
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
  /** @default the login name, with `-2`, `-3`, … appended if taken */
  name: UserName | undefined;
  /** The registry's base URL. */
  registry: string;
}

export interface Joined {
  registry: RegistryApi;
  endpoint: Endpoint;
  registration: OwnRegistration;
  /** Whether other machines use the registry too. */
  shared: boolean;
  /** Which addresses messages may go to. */
  mayContact: MayContact;
  /** Rate limit per source, in messages per second; 0 for none. */
  rateLimit: number;
  /** Why the name is not protected by our key; undefined if it is. */
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

/** Joins even without a key, because registries do not require one. */
function secretsFor(url: string): { secretOf?: SecretOf; noKey?: string } {
  try {
    return { secretOf: openSecrets(url, statePath("key", process.env)) };
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return { noKey: error.message };
  }
}
