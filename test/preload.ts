/** What holds for every test: hooks in a helper would count for the first file alone that imports it. */
import { afterAll, afterEach, setDefaultTimeout } from "bun:test";
import { cleanUp } from "./helpers/afterwards.ts";
import { endRedis } from "./helpers/redis.ts";

// Longer than Bun's 5 s, for a busy machine. Without --parallel it holds for the first file alone; slow ones say it themselves.
setDefaultTimeout(30_000);
afterEach(cleanUp);
afterAll(endRedis);
afterAll(() => Bun.WebView.closeAll());
