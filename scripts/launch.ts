#!/usr/bin/env bun
/** The `talk` of an installed package: runs its bundle, or the source in a clone, which has none. */
import { join } from "node:path";

const bundle = join(import.meta.dir, "../dist/bundle/talk.js");
await import((await Bun.file(bundle).exists()) ? bundle : "./talk.ts");
