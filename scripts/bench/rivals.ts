/** Starts the programs that Talk is measured against. */
import { join } from "node:path";
import { onCore, run, type Started, start } from "./processes.ts";
import { NotMeasured } from "./row.ts";

const READY = /^ready (?:at|with) (\S+)/m;

/** Starts a rival on Bun, by file name. */
export function startBare(name: string, ...args: string[]): Promise<Started> {
  return start([process.execPath, join(import.meta.dir, "rivals", `${name}.mjs`), ...args], READY);
}

/** Starts a rival on Node, by file name. @throws NotMeasured without Node */
export async function startOnNode(name: string): Promise<Started> {
  const node = Bun.which("node");
  // Without Node, `bun run` puts Bun itself in its place.
  const isNode =
    node && (await run([node, "-p", "process.versions.bun"]).catch(() => "")).trim() === "undefined";
  if (!isNode) throw new NotMeasured("node is not installed");
  installing ??= installPackages(import.meta.dir);
  await installing;
  return start([node, join(import.meta.dir, "rivals", `${name}.mjs`)], READY);
}

/**
 * Starts the registry's four routes on Ktor and Netty, on one CPU core, built with Maven on the first run.
 * @throws NotMeasured without Java or Maven, or if the build fails
 */
export async function startKtor(core: number): Promise<Started> {
  const [java, maven] = [Bun.which("java"), Bun.which("mvn")];
  if (!java || !maven) throw new NotMeasured("java and mvn are needed to build the rival on Ktor");
  const folder = join(import.meta.dir, "rivals/ktor");
  try {
    await run([maven, "--quiet", "--batch-mode", "--file", join(folder, "pom.xml"), "package"]);
  } catch (error) {
    throw new NotMeasured(`the rival on Ktor could not be built: ${String(error).slice(0, 500)}`);
  }
  const classPath = [join(folder, "target/classes"), join(folder, "target/dependency/*")].join(":");
  return start(onCore(core, [java, "-cp", classPath, "RegistryKt"]), READY);
}

let installing: Promise<unknown> | undefined;

/**
 * Installs the rivals' dependencies, which are in a separate package so that nobody else has to install them. Takes 10 ms
 * if they are there already, and completes an interrupted installation.
 * @param folder the folder of that package. @throws NotMeasured if installing fails
 */
export async function installPackages(folder: string): Promise<void> {
  try {
    await run([process.execPath, "install", "--frozen-lockfile", "--cwd", folder]);
  } catch (error) {
    const [why = "bun install failed"] = /(?<=error: ).+/.exec(String(error)) ?? [];
    throw new NotMeasured(
      `its rivals' packages could not be installed (${why}); run bun install in ${folder}`,
    );
  }
}
