import { root } from "./program.ts";

/** Runs `bun <file>` until it exits. @param stdin all of its standard input */
export async function run(file: string, args: string[], stdin: string | Uint8Array = "") {
  const child = Bun.spawn([process.execPath, `${root}/${file}`, ...args], {
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, NO_COLOR: "1", USER: "ann" },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}
