/** Where the system takes no ports for outgoing connections, which could get in between (32768 and above on Linux). */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A port on loopback that is free now, and that no connection takes before a server listens on it. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Somebody listens on it.
    }
  }
}
