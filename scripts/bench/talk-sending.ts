/** Sends through the client's own transport, with as much under way as it allows: `bun talk-sending.ts PROTOCOL port`. */
import { transportFor } from "../../src/client/transports/index.ts";
import { serveSending } from "./sending-loop.ts";

const [protocol = "", port] = process.argv.slice(2);
const transport = transportFor(protocol);
if (!transport) throw new Error(`no such protocol: ${protocol}`);
const sender = transport.createSender();
const body = '{"user":"alice","text":"hello bob, lunch at one?"}';

await serveSending(transport.window.messages, async () => {
  const outcome = await sender.send({ host: "127.0.0.1", port: Number(port) }, body);
  if (outcome.type !== "delivered" && outcome.type !== "sent") throw new Error(JSON.stringify(outcome));
});
