import { setDefaultTimeout } from "bun:test";

// A spawned client or a browser may take longer than Bun's 5 s on a busy machine.
setDefaultTimeout(30_000);
