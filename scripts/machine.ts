import { cpus } from "node:os";

/** The machine that figures were measured on: Bun's version, the CPUs and the system. */
export function describeMachine(): string {
  const processors = cpus();
  return `Bun ${Bun.version}, ${processors.length} × ${processors[0]?.model.trim()}, ${process.platform}`;
}
