import { expect, test } from "bun:test";
import { join } from "node:path";

const source = join(import.meta.dir, "../src");
const allowed: Record<string, string[]> = {
  core: ["core"],
  registry: ["core", "registry"],
  client: ["core", "client"],
  "main.ts": ["core", "registry", "client"],
};

test("core imports neither side, and the sides not each other", async () => {
  const crossing: string[] = [];
  let imports = 0;
  for await (const file of new Bun.Glob("**/*.ts").scan(source)) {
    const [side = ""] = file.split("/");
    for (const { path } of new Bun.Transpiler({ loader: "ts" }).scanImports(
      await Bun.file(join(source, file)).text(),
    )) {
      if (!path.startsWith(".")) continue;
      imports++;
      const [target = ""] = join(file, "..", path).split("/");
      if (target !== ".." && !allowed[side]?.includes(target)) crossing.push(`${file} imports ${path}`);
    }
  }
  expect(crossing).toEqual([]);
  expect(imports).toBeGreaterThan(50);
});
