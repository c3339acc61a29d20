/** Checks any implementation of the protocol, in any language, from outside. */
import { type ArgsDef, defineCommand } from "citty";
import { hostOf, parsePublicUrl } from "../../src/core/address.ts";
import { checkFlags, invocation, runMain, wholeNumber } from "../../src/core/cli.ts";
import { atMost } from "../../src/core/clock.ts";
import { UsageError } from "../../src/core/errors.ts";
import { REGISTRY_URL } from "../../src/core/protocol.ts";
import { jsonLine, visible } from "../../src/core/sanitize.ts";
import type { Address } from "../../src/core/schemas.ts";
import { stopSignal } from "../../src/core/signals.ts";
import { checkClient } from "./client-rows.ts";
import { reachOverTcp, reachOverUdp } from "./reach.ts";
import { openRegistry } from "./registry.ts";
import { registryRows } from "./registry-rows.ts";
import { type Result, type RunOptions, runRows } from "./row.ts";

/** How long removing the temporary users may take after a signal, in milliseconds. */
const CLEAN_UP_MS = 2500;

const flags = {
  registry: { type: "string", description: "the registry to check: http://…", valueHint: "url" },
  client: {
    type: "string",
    description: "the client to check: http://…, ws://… or udp://…",
    valueHint: "url",
  },
  wait: {
    type: "string",
    description: "seconds to wait for the registry to check its users; 0 skips that",
    default: "0",
    valueHint: "seconds",
  },
  strict: { type: "boolean", description: "count violations of Talk's own rules as failures, too" },
  json: { type: "boolean", description: "report in JSON, one line per row" },
} satisfies ArgsDef;

export const conformance = defineCommand({
  meta: {
    name: invocation("conformance"),
    description: "Checks from outside whether a registry or a client follows the protocol",
  },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const wait = wholeNumber("wait", args.wait, 0, 3600) * 1000;
    if ((args.registry === undefined) === (args.client === undefined)) {
      throw new UsageError("say what to check: either --registry <url> or --client <url>");
    }
    const options: RunOptions = {
      strict: args.strict ?? false,
      onResult: (result) => console.log(args.json ? jsonLine(result) : written(result)),
    };
    const results =
      args.client === undefined
        ? await checkRegistry(args.registry ?? "", wait, options)
        : await checkClientAt(args.client, options);

    const count = (wanted: Result["result"]) => results.filter(({ result }) => result === wanted).length;
    const sum = `${count("passed")} passed, ${count("failed")} failed, ${count("not checked")} not checked`;
    const differing = count("differs");
    const differ = differing === 0 ? "" : `, and ${differing} where others may differ`;
    if (!args.json) console.log(`${sum}${differ}`);
    process.exitCode = count("failed") === 0 ? 0 : 1;
  },
});

async function checkRegistry(url: string, wait: number, options: RunOptions): Promise<Result[]> {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new UsageError(`--registry must be a URL such as ${REGISTRY_URL}`);
  }
  const { protocol, port } = new URL(url);
  const defaultPort = protocol === "https:" ? 443 : 80;
  await reachOverTcp(url, { host: hostOf(url), port: Number(port) || defaultPort });
  const registry = openRegistry(url, wait);
  void stopSignal().then(async () => {
    await atMost(CLEAN_UP_MS, registry.cleanUp());
    process.exit(1);
  });
  try {
    return await runRows(registryRows, registry, options);
  } finally {
    await registry.cleanUp();
  }
}

async function checkClientAt(url: string, options: RunOptions): Promise<Result[]> {
  const address = addressOf(url);
  const reach = address.protocol === "UDP" ? reachOverUdp : reachOverTcp;
  await reach(url, address);
  return checkClient(address, options);
}

function addressOf(url: string): Address {
  try {
    return parsePublicUrl(url);
  } catch (error) {
    throw new UsageError(`--client is not valid: ${error instanceof Error ? error.message : error}`);
  }
}

function written(row: Result): string {
  const name = visible(row.name);
  switch (row.result) {
    case "passed":
      return `passed       ${name}`;
    case "not checked":
      return `not checked  ${name}: ${row.why}`;
    case "failed":
    case "differs": {
      const { expected, sent, received } = row;
      const lines = [`expected ${expected}`, `sent     ${sent}`, `received ${received}`];
      return [
        `${row.result.padEnd(13)}${name}`,
        ...lines.map((line) => `             ${visible(line)}`),
      ].join("\n");
    }
  }
}

if (import.meta.main) await runMain(conformance);
