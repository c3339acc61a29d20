/** What holds for every test. A hook in a helper would only run for the first file that imports it. */
import { afterAll, afterEach, setDefaultTimeout } from "bun:test";
import { cleanUp } from "./helpers/afterwards.ts";
import { endRedis } from "./helpers/redis.ts";

/** How long a test may take, in milliseconds: many start processes, and the machine may be busy. */
const TIMEOUT_MS = 120_000;

// Without --parallel, Bun goes back to its own 5 s before each further file, so set it again as each is resolved.
Bun.plugin({
  name: "test timeout",
  setup(build) {
    build.onResolve({ filter: /\.test\.ts$/ }, () => {
      setDefaultTimeout(TIMEOUT_MS);
      return undefined;
    });
  },
});

afterEach(cleanUp);
afterAll(endRedis);
afterAll(() => Bun.WebView.closeAll());
