import { join } from "../src/client/join.ts";
import { createOutbox } from "../src/client/outbox.ts";
import { encodeMessage } from "../src/core/message.ts";
import type { Protocol } from "../src/core/schemas.ts";

/** A user who sends every message back, until stopped. @param registry its base URL */
export async function startEchoBot(protocol: Protocol, registry: string) {
  const name = `echo-${protocol.toLowerCase()}`;
  const member = await join({
    name: { text: name, chosen: true },
    registry,
    protocol,
    host: undefined,
    port: 0,
    publicAddress: undefined,
    async onMessage({ user, text }) {
      // Two bots would never stop.
      if (user.startsWith("echo-")) return;
      const address = await whereIs(user);
      if (address) await outbox.send(user, address, encodeMessage({ user: name, text }));
    },
  });
  const whereIs = async (user: string) => (await member.registry.list()).get(user);
  const outbox = createOutbox(whereIs);

  return {
    name,
    async stop() {
      outbox.close();
      await Promise.all([member.unregister(), member.close()]);
    },
  };
}
