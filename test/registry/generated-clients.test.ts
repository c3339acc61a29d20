/** Clients that generators make of the OpenAPI document talk to a registry, as they come. */
import { expect, test } from "bun:test";
import { cpSync, existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { root, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

/** How long generating and compiling may take, in milliseconds; the first run downloads the tools. */
const COMPILE_MS = 300_000;

const VERSION = "7.17.0";
const OAPI_CODEGEN = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2";
const JAR = join(
  homedir(),
  `.m2/repository/org/openapitools/openapi-generator-cli/${VERSION}/openapi-generator-cli-${VERSION}.jar`,
);
const FIXTURES = join(root, "test/fixtures/clients");
const PYTHON_NEEDS = "import pydantic, urllib3, dateutil, typing_extensions";

/** What each program prints: a default port, and an address that was moved. */
const CONVERSATION = ["3000", "HTTP fd00::5 8081"];

const noGenerator = whyNoGenerator();
const noKotlin = noGenerator;
const noPython =
  noGenerator ??
  (Bun.which("python3") && Bun.spawnSync(["python3", "-c", PYTHON_NEEDS]).exitCode === 0
    ? undefined
    : "there is no Python 3 with pydantic, urllib3 and python-dateutil on this machine");
const noGo = Bun.which("go") ? undefined : "there is no Go on this machine";

function whyNoGenerator(): string | undefined {
  if (!Bun.which("java") || !Bun.which("mvn")) return "there is no Java with Maven on this machine";
  if (existsSync(JAR)) return undefined;
  const artifact = `org.openapitools:openapi-generator-cli:${VERSION}`;
  const got = Bun.spawnSync([
    "mvn",
    "-q",
    "-B",
    "dependency:get",
    `-Dartifact=${artifact}`,
    "-Dtransitive=false",
  ]);
  return got.exitCode === 0 ? undefined : "openapi-generator cannot be downloaded";
}

/** How Maven, Go and their networks say that something cannot be had. */
const NOT_TO_BE_HAD =
  /Could not (?:resolve|transfer|find artifact)|Unknown host|no such host|dial tcp|Connection (?:refused|timed out)|i\/o timeout|proxyconnect|module lookup disabled/;

/** Runs a test whose tools download what they need; where they cannot, says so instead of failing. */
async function ifToBeHad(what: string, test: () => Promise<void>): Promise<void> {
  try {
    await test();
  } catch (error) {
    const problem = NOT_TO_BE_HAD.exec(String(error))?.[0];
    if (problem === undefined) throw error;
    process.stderr.write(
      `skipped: a generated ${what} client, because its parts cannot be had (${problem})\n`,
    );
  }
}

/** A registry, and a folder with its document in which commands are run. */
async function workplace() {
  const registry = await startRegistry();
  const folder = temporaryFolder();
  await Bun.write(join(folder, "openapi.json"), await (await fetch(`${registry.url}/swagger/json`)).text());

  /** The lines that a command prints. */
  async function run(...command: string[]): Promise<string[]> {
    const child = Bun.spawn(command, {
      cwd: folder,
      env: { ...process.env, REGISTRY: registry.url },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, problems] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}:\n${out}${problems}`);
    return Bun.stripANSI(out).trim().split("\n");
  }

  return {
    folder,
    run,
    /** @param options of openapi-generator */
    generate: (...options: string[]) =>
      run("java", "-jar", JAR, "generate", "-i", "openapi.json", "-o", ".", ...options),
    take: (name: string, to = name) => cpSync(join(FIXTURES, name), join(folder, to)),
  };
}

test.skipIf(noPython !== undefined)(
  "openapi-generator's Python client registers, moves and lists",
  async () => {
    const { run, generate, take } = await workplace();
    await generate("-g", "python");
    take("main.py");
    expect(await run("python3", "main.py")).toEqual(CONVERSATION);
  },
  COMPILE_MS,
);

test.skipIf(noKotlin !== undefined)(
  "openapi-generator's Kotlin client compiles, registers, moves and lists",
  () =>
    ifToBeHad("Kotlin", async () => {
      const { run, generate, take } = await workplace();
      await generate("-g", "kotlin", "--library", "jvm-okhttp4");
      take("pom.xml");
      take("Main.kt", "src/main/kotlin/Main.kt");
      expect(await run("mvn", "-q", "-B", "compile", "exec:java")).toEqual(CONVERSATION);
    }),
  COMPILE_MS,
);

test.skipIf(noGo !== undefined)(
  "oapi-codegen's Go client compiles, registers, moves and lists",
  () =>
    ifToBeHad("Go", async () => {
      const { run, take } = await workplace();
      take("main.go");
      await run("go", "mod", "init", "talk");
      await run(
        "go",
        "run",
        OAPI_CODEGEN,
        "-generate",
        "types,client",
        "-package",
        "main",
        "-o",
        "client.go",
        "openapi.json",
      );
      await run("go", "mod", "tidy");
      expect(await run("go", "run", ".")).toEqual(CONVERSATION);
    }),
  COMPILE_MS,
);

for (const [what, reason] of [
  ["Python", noPython],
  ["Kotlin", noKotlin],
  ["Go", noGo],
]) {
  if (reason) process.stderr.write(`skipped: a generated ${what} client, because ${reason}\n`);
}
