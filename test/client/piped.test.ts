import { expect, test } from "bun:test";
import { root } from "../helpers/program.ts";

/** Shows many lines, says so on stderr, and exits once they are handed over. */
const program = (module: string, open: string) => `
  const { ${open} } = await import("${root}/src/client/terminal/${module}.ts");
  const screen = ${open}();
  const users = new Map(Array.from({ length: 5000 }, (_, i) => [\`user-\${i}\`, { protocol: "UDP", host: "h", port: 9 }]));
  screen.show({ type: "users", users, me: "alice" });
  process.stderr.write("shown");
  await screen.close();
  process.exit(0);
`;

test.each([
  ["piped", "openPiped"],
  ["json", "openJson"],
])("what was shown is handed over whole to a slow reader: %s", async (module, open) => {
  // A pipe holds 64 KiB, so most of it has to wait until somebody reads.
  const pipe = 'exec 3<&0; "$0" --eval "$1" </dev/null | { read -r go <&3; cat; }';
  const shell = Bun.spawn(["sh", "-c", pipe, process.execPath, program(module, open)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  await shell.stderr.getReader().read();
  shell.stdin.write("go\n");
  shell.stdin.end();
  const printed = await new Response(shell.stdout).text();
  expect(printed.match(/user-\d+/g)).toHaveLength(5000);
});

test("both outputs in one file keep their order", async () => {
  const both = `
    const { openPiped } = await import("${root}/src/client/terminal/piped.ts");
    const screen = openPiped();
    for (let i = 0; i < 100; i++) {
      screen.show({ type: "message", message: { user: "bob", text: String(2 * i) } });
      screen.show({ type: "outcome", to: "bob", outcome: { type: "failed", reason: String(2 * i + 1) } });
    }
    await screen.close();
  `;
  const child = Bun.spawn(["sh", "-c", 'exec "$0" --eval "$1" 2>&1', process.execPath, both], {
    stdin: "ignore",
  });
  const numbers = (await child.stdout.text()).match(/\d+/g)?.map(Number);
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, i) => i));
});
