/** The programs that Talk is measured against, started. */
import { join } from "node:path";
import { onCore, run, type Started, start } from "./processes.ts";
import { NotMeasured } from "./row.ts";

const READY = /^ready (?:at|with) (\S+)/m;

/** A rival on Bun, by its file's name. */
export function startBare(name: string, ...args: string[]): Promise<Started> {
  return start([process.execPath, join(import.meta.dir, "rivals", `${name}.mjs`), ...args], READY);
}

/** A rival on Node, by its file's name. @throws NotMeasured where there is no Node */
export async function startOnNode(name: string): Promise<Started> {
  const node = Bun.which("node");
  // Where there is none, `bun run` puts Bun itself in its place.
  const isNode =
    node && (await run([node, "-p", "process.versions.bun"]).catch(() => "")).trim() === "undefined";
  if (!isNode) throw new NotMeasured("node is not installed");
  installing ??= installPackages(import.meta.dir);
  await installing;
  return start([node, join(import.meta.dir, "rivals", `${name}.mjs`)], READY);
}

/**
 * The registry's four routes on Ktor and Netty, on one processor core. It is built with Maven at the first run.
 * @throws NotMeasured without Java or Maven, or if it cannot be built
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
 * The rivals' packages are in a package of the benchmark's own, so that nobody else has to load them. Installing
 * what is there already takes 10 ms, and mends what was begun once and not ended.
 * @param folder of that package. @throws NotMeasured if they cannot be installed
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
