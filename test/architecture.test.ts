/** The rules of docs/architecture.md that a program can check. */
import { describe, expect, test } from "bun:test";
import { basename, dirname, join, normalize } from "node:path";
import { root } from "./helpers/program.ts";

/** What each part of the source may import, types included. */
const ALLOWED: Record<string, string[]> = {
  core: ["core"],
  registry: ["core", "registry"],
  client: ["core", "client"],
  "main.ts": ["core", "registry", "client"],
};

/** More than that in one folder, and it has more than one subject. */
const MAX_FILES = 20;

/** Names whose files do the same job in each folder; the last three are protocols. */
const SHARED_NAMES = ["index", "types", "main", "options", "http", "websocket", "udp"];

/** Imports of all kinds: values, types, side effects, and those at run time. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g;

const files = (await Array.fromAsync(new Bun.Glob("src/**/*.ts").scan(root))).filter(
  (file) => !file.endsWith(".d.ts"),
);
const imports = new Map<string, string[]>();
/** The files that declare a type, by its name. */
const declarations = new Map<string, string[]>();
for (const file of files) {
  const text = await Bun.file(join(root, file)).text();
  for (const [, name = ""] of text.matchAll(/^(?:export )?(?:interface|type) (\w+)/gm)) {
    declarations.set(name, [...(declarations.get(name) ?? []), file]);
  }
  const paths = Array.from(text.matchAll(IMPORT), ([, path = ""]) => path).filter((path) =>
    path.startsWith("."),
  );
  imports.set(
    file,
    paths.map((path) => normalize(join(dirname(file), path))),
  );
}

describe("the source", () => {
  test("is a core that imports neither side, and two sides that do not import each other", () => {
    const crossing = edges().filter(([file, target]) => {
      const [, side = ""] = file.split("/");
      const [top, part = ""] = target.split("/");
      return top === "src" && !ALLOWED[side]?.includes(part);
    });
    expect(crossing).toEqual([]);
    expect(edges().length).toBeGreaterThan(200);
  });

  test("imports nothing outside src but the manifest", () => {
    const outside = edges().filter(([, target]) => !target.startsWith("src/") && target !== "package.json");
    expect(outside).toEqual([]);
  });

  test("gives each interface and type one name in the whole tree", () => {
    const repeated = [...declarations].filter(([, owners]) => owners.length > 1);
    expect(Object.fromEntries(repeated)).toEqual({});
  });

  test("has no import cycles, type imports included", () => {
    expect(circle()).toBeUndefined();
  });

  test("has types.ts files that import no implementation beside them", () => {
    const siblings = edges().filter(
      ([file, target]) => basename(file) === "types.ts" && dirname(target) === dirname(file),
    );
    expect(siblings).toEqual([]);
  });

  test("has at most 20 files in a folder", () => {
    const folders = Map.groupBy(files, (file) => dirname(file));
    const large = [...folders].filter(([, inside]) => inside.length > MAX_FILES);
    expect(large.map(([folder]) => folder)).toEqual([]);
  });

  test("has no two files of one name, but for those that say what they are in every folder", () => {
    const names = Map.groupBy(files, (file) => basename(file, ".ts"));
    const shared = [...names].filter(([name, those]) => those.length > 1 && !SHARED_NAMES.includes(name));
    expect(shared.map(([, those]) => those)).toEqual([]);
  });
});

function edges(): [string, string][] {
  return [...imports].flatMap(([file, targets]) => targets.map((target): [string, string] => [file, target]));
}

/** The files of a circle, in their order; undefined if there is none. */
function circle(): string[] | undefined {
  const done = new Set<string>();
  function visit(file: string, path: string[]): string[] | undefined {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const target of imports.get(file) ?? []) {
      const found = visit(target, [...path, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  }
  for (const file of files) {
    const found = visit(file, []);
    if (found) return found;
  }
  return undefined;
}
