import { resolve } from "node:path";
import { defineCommand } from "citty";
import { hostOf, isLoopback, isUnspecified } from "../core/address.ts";
import { checkFlags, invocation, runMain } from "../core/cli.ts";
import { urlsOfWildcard } from "../core/own-addresses.ts";
import { REGISTRY_PATHS } from "../core/protocol.ts";
import { stopSignal } from "../core/signals.ts";
import { flags, readOptions } from "./options.ts";

/** Whether Linux migrates queued connections of a closed listener to another on the same port, or resets them. */
const MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req";
const MIGRATE_HINT =
  "connections may be reset at the moment a registry on this port stops; sysctl -w net.ipv4.tcp_migrate_req=1 prevents it";

/** How long stopping may take, in milliseconds, even if the store hangs: 3 s at most in all. */
const STOP_MS = 2800;

const SILENT = { log() {}, flush() {} };

export const registry = defineCommand({
  meta: { name: invocation("registry"), description: "Knows where each user of Talk listens" },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const { host, port, sharePort, ...options } = await readOptions(args);
    if (args.release !== undefined) {
      const { release } = await import("./release.ts");
      console.log(await release(args.store, args.release));
      return;
    }
    // Not console.error, which waits for the reader of a pipe; and a reader who has gone must not end the registry.
    const stderr = process.stderr.on("error", () => {});
    const stop = stopSignal();
    void stop.then(() => setTimeout(() => process.exit(0), STOP_MS));
    // Imported lazily: --help and usage errors need none of it.
    const [{ createRegistry }, { createLog }] = await Promise.all([import("./index.ts"), import("./log.ts")]);
    const { log, flush } = args.quiet ? SILENT : createLog((text) => stderr.write(text));
    const running = await createRegistry({ ...options, log });
    let url: string;
    try {
      url = await running.listen({ host, port, sharePort });
    } catch (error) {
      await running.close();
      throw error;
    }
    const [, path = ""] = /^sqlite:(.+)$/.exec(args.store) ?? [];
    if (path !== "") log({ type: "opened", path: resolve(path) });
    console.log(`registry at ${url}, API docs at ${url}${REGISTRY_PATHS.docs}`);
    // A wildcard has more addresses; the last one is loopback.
    const others = isUnspecified(host) ? urlsOfWildcard(host, Number(URL.parse(url)?.port)).slice(1) : [];
    for (const other of others)
      console.log(`also at ${other}${isLoopback(hostOf(other)) ? ", on this machine" : ""}`);
    if (isLoopback(host)) console.log("only this machine can reach it; --host 0.0.0.0 lets others in");
    if (sharePort && (await resetsQueued())) console.log(MIGRATE_HINT);

    await stop;
    await running.close();
    flush();
    process.exit(0);
  },
});

async function resetsQueued(): Promise<boolean> {
  const file = Bun.file(MIGRATE);
  return (await file.exists()) && (await file.text()).trim() === "0";
}

if (import.meta.main) await runMain(registry);
