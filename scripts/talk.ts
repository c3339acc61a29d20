/** The installed and the compiled `talk`: every command of `src`, the demo and the conformance checks. */
import { runMain } from "../src/core/cli.ts";
import { talk } from "../src/main.ts";

await talk(process.argv.slice(2), {
  demo: {
    help: "a registry, an echo bot on each protocol, and you",
    run: async (argv) => runMain((await import("./demo.ts")).demo, argv),
  },
  conformance: {
    help: "checks any registry or client from outside",
    run: async (argv) => runMain((await import("./conformance/main.ts")).conformance, argv),
  },
});
