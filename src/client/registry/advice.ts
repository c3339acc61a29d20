/** Advice for when no registry answers. */
import { invocation } from "../../core/cli.ts";
import { RegistryUnreachable, TalkError } from "../../core/errors.ts";
import { REGISTRY_PORT } from "../../core/protocol.ts";
import { isNameTrouble } from "../network-errors.ts";

/** Adds how to start a registry to an error that none was reached; returns other errors unchanged. */
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
