/** The clients of ../load.ts: listens for each, prints their addresses as one line of JSON, exits at the end of input. */
import type { Address, Protocol } from "../../../src/core/schemas.ts";
import { mute } from "../shared/mute.ts";

const HOST = "127.0.0.1";
/** One in this many clients is silent. */
const SILENT_EVERY = 20;

const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];

async function listen(protocol: Protocol, silent: boolean): Promise<number> {
  switch (protocol) {
    case "HTTP":
      return silent
        ? mute()
        : (Bun.serve({ hostname: HOST, port: 0, fetch: () => Response.json({ status: "ok" }) }).port ?? 0);
    case "WEBSOCKET":
      if (silent) return mute();
      return (
        Bun.serve({
          hostname: HOST,
          port: 0,
          fetch: (request, server) =>
            server.upgrade(request) ? undefined : new Response(null, { status: 400 }),
          websocket: { message() {} },
        }).port ?? 0
      );
    case "UDP": {
      const socket = await Bun.udpSocket({
        hostname: HOST,
        socket: {
          data(socket, datagram) {
            if (silent) return;
            const { host, port, id } = JSON.parse(JSON.parse(datagram.toString()).text);
            socket.send(id, port, host);
          },
          error() {},
        },
      });
      return socket.port;
    }
  }
}

const clients: { address: Address; silent: boolean }[] = [];
for (let i = 0; i < Number(process.argv[2]); i++) {
  const protocol = protocols[i % protocols.length] ?? "HTTP";
  const silent = Math.floor(i / protocols.length) % SILENT_EVERY === 0;
  clients.push({ address: { protocol, host: HOST, port: await listen(protocol, silent) }, silent });
}
process.stdout.write(`${JSON.stringify(clients)}\n`);
for await (const _ of Bun.stdin.stream()) {
  // Only the end of the input matters.
}
process.exit(0);
