/** Lines in, lines out: the only file that touches stdin and stdout. */
import { on } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { readLines } from "../core/lines.ts";

export interface Terminal {
  /** What is typed or piped, line by line, until it ends. */
  lines(): AsyncIterable<string>;
  /** Prints whole lines, above a half-typed one. */
  print(text: string, stream: "stdout" | "stderr"): void;
  /** Says whom the next line goes to, where somebody types it. */
  prompt(selected: string | undefined): void;
  /** Resolves when nobody reads our output any more. */
  hungUp: Promise<void>;
  /** Resolves once everything printed has been handed over. */
  flush(): Promise<void>;
}

/** The terminal if there is one at both ends, else the pipes. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const interactive = Boolean(stdin.isTTY && stdout.isTTY);
  const editor = interactive ? createInterface({ input: stdin, output: stdout, terminal: true }) : undefined;
  const hungUp = Promise.withResolvers<void>();
  stdout.on("error", () => hungUp.resolve());
  stderr.on("error", () => {});

  return {
    lines: () => (editor ? typedLines(editor) : readLines(Bun.stdin.stream())),
    print(text, stream) {
      if (editor) stdout.write("\r\x1b[J");
      process[stream].write(`${text}\n`);
      editor?.prompt(true);
    },
    prompt(selected) {
      editor?.setPrompt(`${selected ?? ""}> `);
      editor?.prompt(true);
    },
    hungUp: hungUp.promise,
    async flush() {
      editor?.close();
      await Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.write("", done))));
    },
  };
}

async function* typedLines(editor: Interface): AsyncGenerator<string> {
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
