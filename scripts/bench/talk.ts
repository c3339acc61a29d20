/** Starts Talk as its users do. */
import { join } from "node:path";
import { onCore, root, run, type Started, start } from "./processes.ts";
import { NotMeasured } from "./row.ts";

/** The benchmark's users are not real, and must not be removed. */
const UNCHECKED = ["--check-interval", "86400", "--check-window", "86400"];

/** The rivals have no limit. */
const UNLIMITED = ["--max-users", "10000000"];

const helps = new Map<string, Promise<string>>();

/** Starts a registry on a free port, without a log, like the rivals; `ready` is its base URL. */
export function startRegistry(...args: string[]): Promise<Started> {
  return startLoggingRegistry("--quiet", ...args);
}

export function startLoggingRegistry(...args: string[]): Promise<Started> {
  return start(registryCommand(...args), REGISTRY_READY);
}

/** The same, quiet, on one CPU core. */
export function startPinnedRegistry(core: number): Promise<Started> {
  return start(onCore(core, registryCommand("--quiet", "--store", "memory:")), REGISTRY_READY);
}

const REGISTRY_READY = /^registry at (http:[^ ,]+)/m;

function registryCommand(...args: string[]): string[] {
  const main = join(root, "src/registry/main.ts");
  return [process.execPath, main, "--port", "0", ...UNCHECKED, ...UNLIMITED, ...args];
}

/** Starts a client on a free port, and waits until it has listed the users; `ready` is its port. */
export async function startClient(registry: Started, protocol: string, name: string): Promise<Started> {
  return start(
    [
      process.execPath,
      join(root, "src/client/main.ts"),
      ...["--registry", registry.ready, "--protocol", protocol, "--name", name, "--port", "0"],
      ...((await offers("client", "--rate-limit")) ? ["--rate-limit", "0"] : []),
    ],
    /at \w+:\/\/127\.0\.0\.1:(\d+).*\(you\)$/ms,
  );
}

/** Skips the row if this Talk lacks an option or value. @throws NotMeasured */
export async function need(command: "registry" | "client", option: string): Promise<void> {
  if (!(await offers(command, option))) throw new NotMeasured(`the ${command} has no ${option}`);
}

function offers(command: "registry" | "client", option: string): Promise<boolean> {
  const help = helps.get(command) ?? run([process.execPath, join(root, `src/${command}/main.ts`), "--help"]);
  helps.set(command, help);
  return help.then((text) => text.includes(option));
}
