/**
 * Builds the artifacts: `bun run build` makes the binary dist/talk, which needs no Bun; `bun run build --bundle` makes
 * dist/bundle, the JavaScript of an installed package, which loads in half the time of the source.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };

const root = join(import.meta.dir, "..");
const USAGE = "usage: bun run build [file], which makes dist/talk, or bun run build --bundle [folder]";
const [first, ...rest] = process.argv.slice(2);
const bundling = first === "--bundle";
const [target, ...more] = bundling ? rest : [first, ...rest].filter((word) => word !== undefined);
if (first === "--help" || first === "-h") {
  process.stdout.write(`${USAGE}\n`);
} else if (first === "--version") {
  process.stdout.write(`talk ${manifest.version}\n`);
} else if (target?.startsWith("-") || more.length > 0) {
  process.stderr.write(`error: ${USAGE}\n`);
  process.exitCode = 2;
} else {
  const made = bundling
    ? await bundle(target ?? join(root, "dist/bundle"))
    : await compile(target ?? join(root, "dist/talk"));
  process.stdout.write(`${made}\n`);
}

/** Options for both: each command is a chunk of its own, loaded only when it runs. */
function options() {
  return {
    entrypoints: [join(root, "scripts/talk.ts")],
    format: "esm" as const,
    minify: true,
    splitting: true,
  } satisfies Partial<Bun.BuildConfig>;
}

async function compile(outfile: string): Promise<string> {
  await Bun.build({
    ...options(),
    compile: {
      outfile,
      // Ignore the working directory: a bunfig.toml there could run code, and an .env change our behaviour.
      autoloadBunfig: false,
      autoloadDotenv: false,
    },
    // Compiled ahead of time, for a faster start.
    bytecode: true,
  });
  return outfile;
}

async function bundle(outdir: string): Promise<string> {
  // Chunk names are content hashes, so chunks of an older build would remain.
  rmSync(outdir, { recursive: true, force: true });
  await Bun.build({ ...options(), outdir, target: "bun", sourcemap: "linked" });
  return join(outdir, "talk.js");
}
