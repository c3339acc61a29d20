import { cpus } from "node:os";

/** On what figures were measured: the version of Bun, the processors, and the system. */
export function describeMachine(): string {
  const processors = cpus();
  return `Bun ${Bun.version}, ${processors.length} × ${processors[0]?.model.trim()}, ${process.platform}`;
}
