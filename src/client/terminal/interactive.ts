/** A prompt, with what is told above it. */
import { on } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { visible } from "../../core/visible.ts";
import { render } from "../render.ts";
import type { Screen } from "./screen.ts";

export function openInteractive(): Screen {
  const { stdin, stdout } = process;
  const editor = createInterface({ input: stdin, output: stdout, terminal: true });
  const hungUp = Promise.withResolvers<void>();
  stdout.on("error", () => hungUp.resolve());

  return {
    lines: () => typedLines(editor),
    show(output) {
      const rendered = render(output);
      if (!rendered) return;
      stdout.write(`\r\x1b[J${rendered.text}\n`);
      editor.prompt(true);
    },
    follow({ selected }) {
      const prompt = `${visible(selected ?? "")}> `;
      if (prompt === editor.getPrompt()) return;
      editor.setPrompt(prompt);
      editor.prompt(true);
    },
    hungUp: hungUp.promise,
    async close() {
      editor.close();
      await new Promise((done) => stdout.write("", done));
    },
  };
}

async function* typedLines(editor: Interface): AsyncGenerator<string> {
  editor.prompt(true);
  editor.on("SIGINT", () => {
    if (editor.line === "") editor.close();
    // Ctrl-E, Ctrl-U: to the end of the line, and away with all before.
    else for (const name of ["e", "u"]) editor.write(null, { ctrl: true, name });
  });
  for await (const [line] of on(editor, "line", { close: ["close"] })) {
    yield String(line);
    editor.prompt(true);
  }
}
