/** A port on loopback that takes connections, and never says a word. */
export function mute(): number {
  return Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }).port;
}
