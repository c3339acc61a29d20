#!/usr/bin/env bun
/** The `talk` of an installed package: starts the bundle that is packed with it; a clone, which has none, its source. */
import { join } from "node:path";

const bundle = join(import.meta.dir, "../dist/bundle/talk.js");
await import((await Bun.file(bundle).exists()) ? bundle : "./talk.ts");
