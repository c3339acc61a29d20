/** Makes the one binary, which needs no Bun: `bun run build [file]`, by default dist/talk. */
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };

const root = join(import.meta.dir, "..");
const USAGE = "usage: bun run build [file]; without a file it makes dist/talk";
const [outfile = join(root, "dist/talk"), ...more] = process.argv.slice(2);
if (["--help", "-h"].includes(outfile)) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
if (outfile === "--version") {
  process.stdout.write(`talk ${manifest.version}\n`);
  process.exit(0);
}
if (outfile.startsWith("-") || more.length > 0) {
  process.stderr.write(`error: ${USAGE}\n`);
  process.exit(2);
}

await Bun.build({
  entrypoints: [join(root, "scripts/talk.ts")],
  compile: {
    outfile,
    // The folder that it is started in is nobody's business: a bunfig.toml there could run code, an .env change what we do.
    autoloadBunfig: false,
    autoloadDotenv: false,
  },
  format: "esm",
  minify: true,
  // A command loads what it needs alone.
  splitting: true,
  // Compiled ahead, so that it starts in milliseconds.
  bytecode: true,
});
process.stdout.write(`${outfile}\n`);
