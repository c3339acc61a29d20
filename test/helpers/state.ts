/**
 * Loaded before every test file: clients in tests keep their state in a folder of the tests, not in the developer's.
 * Processes that a test starts need it in their `env`, because Bun passes on the environment it was started with.
 */
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "talk-state-"));
process.env.XDG_STATE_HOME = folder;
// Not on exit, which workers of the test runner never reach. Clients create the folder again when they need it.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
