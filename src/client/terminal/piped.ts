import { render } from "../render.ts";
import { countedOutput } from "./output.ts";
import type { Screen } from "./screen.ts";
import { stdinLines } from "./stdin.ts";

/** Lines in and lines out, for scripts: no prompt, no colour, nothing that is redrawn. */
export function openPiped(): Screen {
  const { stdout, stderr } = process;
  const outputs = { stdout: countedOutput(stdout), stderr: countedOutput(stderr) };
  const hungUp = Promise.withResolvers<void>();
  stdout.on("error", () => hungUp.resolve());

  return {
    lines: stdinLines,
    show(output) {
      const rendered = render(output);
      if (rendered) outputs[rendered.stream].write(`${rendered.text}\n`);
    },
    follow() {},
    left: new Promise(() => {}),
    full: outputs.stdout.full,
    hungUp: hungUp.promise,
    release() {},
    async close() {
      // An empty write is done at once, whatever waits before it.
      await Promise.all([stdout, stderr].map((stream) => new Promise<void>((done) => stream.end(done))));
    },
  };
}
