/** HTTP load, from wrk if it is installed, else from our own generator. */
import { join } from "node:path";
import { onCore, run } from "./processes.ts";

export interface Load {
  /** PUT of changing users, POST of new ones, GET of the list, conditional GET of an unchanged list, or a message. */
  kind: "put" | "post" | "list" | "unchanged" | "message";
  /** The service's base URL. */
  url: string;
  /** The number of users that PUT cycles through. */
  users?: number;
  connections?: number;
  seconds: number;
  /** The CPU core to generate the load on. @default any */
  core?: number | undefined;
}

const wrk = Bun.which("wrk");

/** The generator, for the report. */
export const generator = wrk ? "wrk" : "the bundled generator, which may be the bottleneck; install wrk";

/** Counts samples, so that no two create users of the same names. */
let samples = 0;

/** Responses per second. @throws Error if any was wrong */
export async function load({
  kind,
  url,
  users = 1000,
  connections = 32,
  seconds,
  core,
}: Load): Promise<number> {
  const etag = kind === "unchanged" ? await currentTag(url) : "";
  const job = [kind, String(users), `new-${process.pid}-${samples++}`, etag];
  const command = wrk
    ? // wrk takes whole seconds.
      [wrk, "-t1", `-c${connections}`, `-d${Math.ceil(seconds)}s`, "-s", here("load.lua"), url, "--", ...job]
    : [process.execPath, here("generators/http.ts"), url, String(connections), String(seconds), ...job];
  const output = await run(core === undefined ? command : onCore(core, command));
  const [, answers, took, failed] = /answers=(\d+) seconds=([\d.]+) failed=(\d+)/.exec(output) ?? [];
  if (failed !== "0") throw new Error(`${failed} bad answers from ${url} to ${kind}: ${output}`);
  return Number(answers) / Number(took);
}

async function currentTag(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/users/`);
  await response.arrayBuffer();
  return response.headers.get("etag") ?? "";
}

function here(file: string): string {
  return join(import.meta.dir, file);
}
