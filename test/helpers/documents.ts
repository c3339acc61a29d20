/** README.md and docs/, used as a reader would. */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./program.ts";
import { temporaryFolder } from "./registry.ts";

/** A fenced block of a document, with the HTML comment before it that says how it is tested. */
export interface Block {
  file: string;
  /** The line it starts on. */
  line: number;
  language: string;
  code: string;
  mark?: { kind: "not run" | "runs until stopped" | "tested as"; detail: string };
}

/** Every document, by its path from the root. */
export async function readDocuments(): Promise<Map<string, string>> {
  const files = (await Array.fromAsync(new Bun.Glob("docs/*.md").scan(root))).sort();
  const texts = ["README.md", ...files].map(
    async (file) => [file, await Bun.file(join(root, file)).text()] as const,
  );
  return new Map(await Promise.all(texts));
}

const MARK = /<!-- (?:(not run): (.+?)|(runs until stopped)|(tested as) (\S+)) -->\n+$/;

/** A fenced block, which may be indented as part of a list. */
const BLOCK = /^( *)```(\w*)\n(.*?)^\1```$/gms;

/** The fenced blocks of a document. */
export function blocksOf(file: string, text: string): Block[] {
  return [...text.matchAll(BLOCK)].map(({ index, 2: language = "", 3: code = "" }) => {
    const before = text.slice(0, index);
    const [, notRun, why = "", until, testedAs, name = ""] = MARK.exec(before) ?? [];
    const block = { file, line: before.split("\n").length, language, code };
    if (notRun) return { ...block, mark: { kind: "not run", detail: why } };
    if (until) return { ...block, mark: { kind: "runs until stopped", detail: "" } };
    if (testedAs) return { ...block, mark: { kind: "tested as", detail: name } };
    return block;
  });
}

/** Every block of every document. */
export async function readBlocks(): Promise<Block[]> {
  return [...(await readDocuments())].flatMap(([file, text]) => blocksOf(file, text));
}

/** The code of the block tested under a name. */
export async function blockTestedAs(name: string): Promise<string> {
  const found = (await readBlocks()).filter(({ mark }) => mark?.kind === "tested as" && mark.detail === name);
  const [block, ...more] = found;
  if (!block || more.length > 0) throw new Error(`${found.length} blocks are tested as ${name}`);
  return block.code;
}

/**
 * A shell in an empty folder where `talk` is a command: its registries take free ports, and the given one is the default
 * of its other commands, and what the documents call 127.0.0.1:8088.
 */
export function openShell(registryUrl: string, folder = temporaryFolder()) {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const talk = join(bin, "talk");
  const script = `#!/bin/sh
command=$1; shift
case "$command $*" in
registry*--release*) ;;
registry*) set -- --port 0 "$@" ;;
esac
exec '${process.execPath}' '${join(root, "scripts/talk.ts")}' "$command" "$@"
`;
  return {
    folder,
    /** Starts it as the leader of a process group, whose id is the child's. */
    async start(code: string, env: Record<string, string> = {}) {
      await Bun.write(talk, script);
      chmodSync(talk, 0o755);
      return Bun.spawn(
        ["bash", "-euo", "pipefail", "-c", code.replaceAll("127.0.0.1:8088", new URL(registryUrl).host)],
        {
          cwd: folder,
          env: {
            ...process.env,
            NO_COLOR: "1",
            PATH: `${bin}:${process.env.PATH}`,
            TALK_REGISTRY: registryUrl,
            ...env,
          },
          detached: true,
          stdin: "ignore",
          stdout: "pipe",
          stderr: "pipe",
        },
      );
    },
  };
}
