/**
 * Makes what is handed out: `bun run build` the one binary, dist/talk, which needs no Bun, and `bun run build --bundle` the
 * JavaScript that an installed package starts from, dist/bundle, which loads in half the time of the source.
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

/** What the bundle and the binary have in common: each command is a chunk of its own, which is loaded for it alone. */
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
      // The folder that it is started in is nobody's business: a bunfig.toml there could run code, an .env change what we do.
      autoloadBunfig: false,
      autoloadDotenv: false,
    },
    // Compiled ahead, so that it starts in milliseconds.
    bytecode: true,
  });
  return outfile;
}

async function bundle(outdir: string): Promise<string> {
  // Chunks are named by their content, so those of an older build would stay.
  rmSync(outdir, { recursive: true, force: true });
  await Bun.build({ ...options(), outdir, target: "bun", sourcemap: "linked" });
  return join(outdir, "talk.js");
}
