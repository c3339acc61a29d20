/** What to do where there is no registry. */
import { invocation } from "../../core/cli.ts";
import { RegistryUnreachable, TalkError } from "../../core/errors.ts";
import { REGISTRY_PORT } from "../../core/protocol.ts";
import { isNameTrouble } from "../network-errors.ts";

/** The same failure, with how to start a registry if none could be reached; anything else as it is. */
export function adviseOnRegistry(error: unknown): unknown {
  if (!(error instanceof RegistryUnreachable)) return error;
  const port = URL.parse(error.url)?.port;
  const there = port && port !== String(REGISTRY_PORT) ? ` --port ${port}` : "";
  const check = isNameTrouble(error.reason) ? "check how --registry is spelt, or " : "";
  return new TalkError(
    error.code,
    `${error.message}; ${check}start one with: ${invocation("registry")}${there}`,
  );
}
