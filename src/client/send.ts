import { type ArgsDef, defineCommand } from "citty";
import { checkFlags, invocation, runMain, seconds, valuesOf, writeError } from "../core/cli.ts";
import { UsageError } from "../core/errors.ts";
import { MAX_MESSAGE_BYTES, REGISTRY_URL } from "../core/protocol.ts";
import { jsonLine, visible } from "../core/sanitize.ts";
import { stopSignal } from "../core/signals.ts";
import { CUT_SENTENCE, mayBeCut } from "./read-lines.ts";
import type { Report } from "./session/report.ts";
import { isTerminal } from "./terminal/is-terminal.ts";

const flags = {
  to: {
    type: "string",
    description: "the recipient; for several, use commas or repeat --to",
    valueHint: "user",
  },
  name: { type: "string", description: "your name (Default: $TALK_NAME, else your login name)" },
  registry: {
    type: "string",
    description: `the registry to ask, as a URL or host[:port] (Default: $TALK_REGISTRY, else ${REGISTRY_URL})`,
    valueHint: "url",
  },
  wait: {
    type: "string",
    description: "how long to wait for absent users",
    valueHint: "seconds",
  },
  json: { type: "boolean", description: "report in JSON, one line for each --to" },
  "text...": { type: "positional", required: false, description: "the text; without it, what is piped in" },
} satisfies ArgsDef;

/** How long sending may take after a signal, and then the report, in milliseconds: 3 s in all. */
const STOP_MS = 2500;
const FLUSH_MS = 300;

/** Exit code for each report; the worst one wins. */
const EXIT_CODES: Record<Report["type"], number> = { delivered: 0, unknown: 3, failed: 1, waiting: 1 };

export const send = defineCommand({
  meta: {
    name: invocation("send"),
    description:
      "Sends one text to users of a Talk registry. Exits 0 if it was delivered, 1 if not, 2 for a wrong command line, 3 if unknown, as over UDP",
  },
  args: flags,
  async run({ args, rawArgs }) {
    checkFlags(args, flags);
    // Loaded late: --help and unknown flags do not need it.
    const [{ nameOf, ownNameOf, registryOf }, { loginName }, { deliver }] = await Promise.all([
      import("./flag-values.ts"),
      import("./login-name.ts"),
      import("./outbound/deliver.ts"),
    ]);
    const to = [
      ...new Set(
        valuesOf("to", rawArgs, flags)
          .flatMap((users) => users.split(","))
          .map((user) => nameOf("to", user)),
      ),
    ];
    if (to.length === 0) throw new UsageError("name a recipient: --to <user>[,<user>…]");
    const from = ownNameOf(args.name) ?? (await loginName());
    const registry = registryOf(args.registry);

    const waitMs = args.wait === undefined ? 0 : seconds("wait", args.wait);

    const stop = stopSignal();
    const text = await Promise.race([args._.length > 0 ? args._.join(" ") : readInput(), stop]);
    const delivery: Promise<Report[] | undefined> =
      text === undefined
        ? Promise.resolve(to.map(() => ({ type: "failed", reason: "stopped before there was a text" })))
        : deliver({ from, text, registry, waitMs, stop }, to);
    const late = stop.then(() => Bun.sleep(STOP_MS)).then(() => undefined);
    const reports =
      (await Promise.race([delivery, late])) ??
      to.map((): Report => ({ type: "unknown", reason: "stopped before an answer; it may have arrived" }));
    for (const [i, report] of reports.entries()) tell(to[i] ?? "", report, args.json === true);
    const codes = reports.map(({ type }) => EXIT_CODES[type]);
    process.exitCode = [1, 3].find((code) => codes.includes(code)) ?? 0;
    // Input or an answer still pending must not keep a stopped process alive.
    void stop.then(() => setTimeout(process.exit, FLUSH_MS));
  },
});

function tell(to: string, report: Report, json: boolean): void {
  const { type, ...more } = report;
  if (json) console.log(jsonLine({ type, to, ...more }));
  else if (report.type === "delivered") console.log(`delivered to ${to}`);
  else {
    const what = report.type === "failed" ? "error: not delivered" : "maybe delivered";
    writeError(`${what} to ${to}: ${visible(report.reason)}`);
  }
}

/**
 * Reads standard input: without a BOM, with LF line endings, and no trailing line break. Stops reading once it exceeds
 * the message limit.
 * @throws UsageError if there is no text, or a terminal may have truncated it
 */
async function readInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of Bun.stdin.stream()) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > MAX_MESSAGE_BYTES) break;
  }
  const text = Buffer.concat(chunks)
    .toString()
    .replace(/^\ufeff/, "")
    .replace(/\r(?=\n|$)/g, "")
    .replace(/\n$/, "");
  if (text === "") throw new UsageError('there is no text; to send an empty one, pass ""');
  if (text.split("\n").some(mayBeCut) && (await isTerminal("stdin"))) throw new UsageError(CUT_SENTENCE);
  return text;
}

if (import.meta.main) await runMain(send);
