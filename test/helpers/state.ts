/**
 * Loaded before every test file: what clients keep for their user goes to a folder of the tests, not the
 * developer's. A process that a test starts is told so by its `env`: Bun hands on the environment that it was started with.
 */
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "talk-state-"));
process.env.XDG_STATE_HOME = folder;
// Not at the exit, which a worker of the runner never comes to. Clients make the folder again where they need it.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
