#!/usr/bin/env bun
/** The `talk` of an installed package: runs its bundle, or the source in a clone, which has none. */
const bundle = `${import.meta.dir}/../dist/bundle/talk.js`;
await import(Bun.file(bundle).size > 0 ? bundle : "./talk.ts");
