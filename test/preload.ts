/** What holds for every test: hooks in a helper would count for the first file alone that imports it. */
import { afterAll, afterEach } from "bun:test";
import { cleanUp } from "./helpers/afterwards.ts";

afterEach(cleanUp);
afterAll(() => Bun.WebView.closeAll());
