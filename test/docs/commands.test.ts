/** What README.md and docs/ show is what happens. A block that cannot be run says so in an HTML comment before it. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { join as joinTalk } from "talk/client";
import { afterwards } from "../helpers/afterwards.ts";
import { type Block, blocksOf, openShell, readBlocks, readDocuments } from "../helpers/documents.ts";
import { root, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const documents = await readDocuments();
const blocks = await readBlocks();
const at = ({ file, line }: Block) => `${file}:${line}`;

/** Blocks of the shell that are to be run, by document. */
const runnable = Map.groupBy(
  blocks.filter(({ language, mark }) => language === "sh" && mark === undefined),
  ({ file }) => file,
);
const running = blocks.filter(({ mark }) => mark?.kind === "runs until stopped");
const helps = blocks.filter(({ language, code }) => language === "console" && / --help\n/.test(code));

/** A shell beside a registry with bob and carol, in a folder with that registry's store. */
async function openTown() {
  const folder = temporaryFolder();
  const registry = await startRegistry("--store", `sqlite:${join(folder, "talk.db")}`);
  for (const name of ["bob", "carol"]) {
    const user = await joinTalk({ name, registry: registry.url, port: 0 });
    afterwards(() => user.close());
  }
  return openShell(registry.url, folder);
}

test.each([...runnable.keys()])("the commands of %s run as they are shown", async (file) => {
  const shell = await openTown();
  for (const block of runnable.get(file) ?? []) {
    const child = await shell.start(block.code);
    afterwards(() => child.kill("SIGKILL"));
    const [stderr] = await Promise.all([
      new Response(child.stderr).text(),
      new Response(child.stdout).text(),
    ]);
    expect({ block: at(block), exitCode: await child.exited, stderr: stderr.match(/^error: .*/gm) }).toEqual({
      block: at(block),
      exitCode: 0,
      stderr: null,
    });
  }
});

test.each(running.map((block) => [at(block), block] as const))(
  "the command at %s reports that it runs, and exits on Ctrl-C",
  async (_, { code }) => {
    const shell = await openTown();
    const child = await shell.start(code);
    afterwards(() => child.kill("SIGKILL"));
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("\n")) break;
    }
    expect(said).toMatch(/^(registry at|you are|bob) /);
    process.kill(-child.pid, "SIGINT");
    await child.exited;
  },
);

test.each(helps.map((block) => [at(block), block] as const))(
  "the help shown at %s equals the command's output",
  async (_, { file, code }) => {
    const [command = "", ...shown] = code.split("\n");
    const [, talk, name = ""] = /^\$ (talk) (\w+) --help$/.exec(command) ?? [];
    expect(talk).toBe("talk");
    const help = Bun.spawn([process.execPath, join(root, "scripts/talk.ts"), name, "--help"], {
      env: { ...process.env, NO_COLOR: "1" },
      stdout: "pipe",
    });
    const said = (await new Response(help.stdout).text()).trim();
    if (process.env.UPDATE_DOCS) {
      const text = await Bun.file(join(root, file)).text();
      await Bun.write(
        join(root, file),
        text.replace(code, () => `${command}\n${said}\n`),
      );
      return;
    }
    expect(shown.join("\n").trim()).toBe(said);
  },
);

test("every block of commands is run, is tested elsewhere, or says why not", () => {
  const languages = new Set(["sh", "console", "ts", "json", "ini", "nginx", ""]);
  expect(blocks.filter(({ language }) => !languages.has(language)).map(at)).toEqual([]);
  const silent = blocks.filter(({ language, mark, code }) => {
    if (mark !== undefined || / --help\n/.test(code)) return false;
    return ["ini", "nginx", "console"].includes(language) || /^ *\$ /m.test(code);
  });
  expect(silent.map(at)).toEqual([]);
  expect(blocks.filter(({ language }) => language === "sh").length).toBeGreaterThan(20);
});

test("every configuration that a document shows has a test by its name", async () => {
  const named = blocks.flatMap(({ mark }) => (mark?.kind === "tested as" ? [mark.detail] : []));
  const tests = await Bun.file(join(import.meta.dir, "operations.test.ts")).text();
  expect(named.filter((name) => !tests.includes(`blockTestedAs("${name}")`))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});

test("the README is short enough to read", () => {
  expect(Buffer.byteLength(documents.get("README.md") ?? "")).toBeLessThan(12_000);
});

test("the architecture names files and folders that exist, and every folder of the source", async () => {
  const text = documents.get("docs/architecture.md") ?? "";
  const named = [...text.matchAll(/`((?:src|scripts|test)\/[\w./-]*)`/g)].map(([, path = ""]) => path);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const files = await Array.fromAsync(new Bun.Glob("src/**/*.ts").scan(root));
  const folders = new Set(files.map((file) => `${dirname(file)}/`));
  expect([...folders].filter((folder) => folder !== "src/" && !named.includes(folder))).toEqual([]);
});

describe("a link within the documents", () => {
  const pages = ["CONTRIBUTING.md", "CHANGELOG.md", ...documents.keys()];
  test.each(pages)("in %s leads to an existing target", async (file) => {
    const text = await Bun.file(join(root, file)).text();
    const prose = blocksOf(file, text).reduce((rest, { code }) => rest.replace(code, ""), text);
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
      ([, markdown, html]) => markdown ?? html ?? "",
    );
    const broken = [];
    for (const target of targets) {
      if (/^https?:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const to = path === "" ? file : join(dirname(file), path);
      if (!existsSync(join(root, to))) broken.push(target);
      else if (anchor && !anchorsOf(await Bun.file(join(root, to)).text()).has(anchor)) broken.push(target);
    }
    expect(broken).toEqual([]);
  });
});

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
