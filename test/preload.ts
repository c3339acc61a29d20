/** What holds for every test: hooks in a helper would count for the first file alone that imports it. */
import { afterAll, afterEach, setDefaultTimeout } from "bun:test";
import { cleanUp } from "./helpers/afterwards.ts";

// Processes, browsers and peers that hang take longer than Bun's 5 s on a busy machine.
setDefaultTimeout(30_000);
afterEach(cleanUp);
afterAll(() => Bun.WebView.closeAll());
