/** A port on loopback that accepts connections and never answers. */
export function mute(): number {
  return Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }).port;
}
