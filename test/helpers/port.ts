/** Below the ports that the system gives to outgoing connections (32768 and above on Linux), which could interfere. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A free port on loopback that no outgoing connection takes before a server listens on it. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // In use.
    }
  }
}
