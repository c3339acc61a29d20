/** Valid and invalid messages to clients. */
import { below, mutate, pick, type Random } from "./chance.ts";
import { hostile, NAMES, spoil } from "./values.ts";

/** The bytes of a message or a probe: a quarter are valid, the others are corrupted as values, as bytes, or both. */
export function messageBytes(random: Random): Uint8Array {
  const kind = random();
  const message =
    kind < 0.2 ? probe(random) : { user: pick(random, NAMES), text: `text ${below(random, 1000)}` };
  if (kind < 0.02) return Buffer.from(`id-checker ${below(random, 1e9)}`);
  if (kind < 0.25) return Buffer.from(JSON.stringify(message));
  if (kind < 0.6) return Buffer.from(JSON.stringify(spoil(random, message)) ?? "");
  if (kind < 0.95) return mutate(random, Buffer.from(JSON.stringify(message)));
  return mutate(random, Buffer.from(JSON.stringify(hostile(random)) ?? ""));
}

/** Answers to probes may only go to this machine. */
function probe(random: Random) {
  const reply = {
    host: pick(random, ["127.0.0.1", "0.0.0.0", "::1"]),
    port: 1 + below(random, 65535),
    id: "x".repeat(8),
  };
  return { user: "healthCheck", text: JSON.stringify(random() < 0.5 ? reply : spoil(random, reply)) };
}
