/**
 * Sends through the client's outbox, with as many messages in flight as keeping each peer's order allows:
 * `bun talk-sending.ts PROTOCOL limit port…`. The limit is a --rate-limit, or "default".
 */
import { createOutbox } from "../../src/client/outbound/outbox.ts";
import { transportFor } from "../../src/client/transports/index.ts";
import { serveSending } from "./sending-loop.ts";

const [protocol = "", limit = "", ...ports] = process.argv.slice(2);
const transport = transportFor(protocol);
if (!transport) throw new Error(`no such protocol: ${protocol}`);
const outbox = createOutbox(async () => undefined, limit === "default" ? undefined : Number(limit));
const body = '{"user":"alice","text":"hello bob, lunch at one?"}';
let sent = 0;

await serveSending(transport.window.messages * ports.length, async () => {
  const port = Number(ports[sent++ % ports.length]);
  const outcome = await outbox.send(`bob-${port}`, { protocol, host: "127.0.0.1", port }, body);
  if (outcome.type !== "delivered" && outcome.type !== "sent") throw new Error(JSON.stringify(outcome));
});
