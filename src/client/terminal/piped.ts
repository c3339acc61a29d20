import { stdinLines, unattended } from "./input/unattended.ts";
import type { Screen } from "./types.ts";
import { openOutput } from "./view/output.ts";
import { render } from "./view/render.ts";

/** Lines in and lines out, for scripts: no prompt, no colour, nothing that is redrawn. */
export function openPiped(): Screen {
  const outputs = { stdout: openOutput(process.stdout), stderr: openOutput(process.stderr) };
  const { full, hungUp } = outputs.stdout;
  return {
    ...unattended,
    lines() {
      return stdinLines((output) => this.show(output));
    },
    show(output) {
      const rendered = render(output);
      if (!rendered) return;
      // Where both lead to one place, lines keep their order.
      outputs[rendered.stream === "stdout" ? "stderr" : "stdout"].flush();
      outputs[rendered.stream].write(`${rendered.text}\n`);
    },
    full,
    async room() {
      await outputs.stdout.room();
      await outputs.stderr.room();
    },
    hungUp,
    async close() {
      await Promise.all([outputs.stdout.end(), outputs.stderr.end()]);
    },
  };
}
