/** How fast a change reaches all readers of the event stream. */
import { openReaders, type Readers } from "../generators/streams.ts";
import type { Started } from "../processes.ts";
import { startBare } from "../rivals.ts";
import type { Row, Side } from "../row.ts";
import { startRegistry } from "../talk.ts";

const READERS = 1000;

/** Pause between changes, in milliseconds: faster ones would be batched, and cost less. */
const CALM_MS = 100;

export const eventRows: Row[] = [
  {
    name: "events",
    title: `a change sent to ${READERS.toLocaleString("en")} readers, against writing the same bytes`,
    unit: "deliveries/s",
    better: "more",
    targets: [{ rival: "bare", ratio: 0.85 }],
    async open() {
      const talk = await startRegistry("--store", "memory:");
      const bare = await startBare("bare-events");
      return [
        side("talk", talk, await openReaders(talk.ready, "/v1/events", READERS), move),
        side("bare", bare, await openReaders(bare.ready, "/events", READERS), tell),
      ];
    },
  },
];

/** @param change makes a change that contains a port */
function side(
  name: string,
  { pid, ready: url, stop }: Started,
  readers: Readers,
  change: (url: string, port: number) => Promise<unknown>,
): Side {
  let port = 0;
  return {
    name,
    pid,
    async sample(seconds) {
      const end = performance.now() + seconds * 1000;
      let [deliveries, ms] = [0, 0];
      while (performance.now() < end) {
        await Bun.sleep(CALM_MS);
        port = 10_000 + ((port + 1) % 50_000);
        const told = readers.all(`"port":${port}`);
        const began = performance.now();
        await Promise.all([change(url, port), told]);
        ms += performance.now() - began;
        deliveries += READERS;
      }
      return (deliveries / ms) * 1000;
    },
    async close() {
      readers.close();
      await stop();
    },
  };
}

function address(port: number) {
  return { protocol: "HTTP", host: "127.0.0.1", port };
}

async function move(url: string, port: number): Promise<void> {
  const answer = await fetch(`${url}/v1/users/bob`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address(port)),
  });
  if (!answer.ok) throw new Error(`PUT was answered ${answer.status}`);
}

function tell(url: string, port: number): Promise<Response> {
  const data = JSON.stringify({ user: "bob", address: address(port) });
  return fetch(`${url}/tell`, {
    method: "POST",
    body: `event: moved\nid: vF2h0UM3nS3bq0YzO8h5rA\ndata: ${data}\n\n`,
  });
}
