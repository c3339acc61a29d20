/**
 * A listener does not leak memory: `bun scripts/checks/memory.ts [messages]`.
 *
 * Sends that many messages (10 million by default) to one client per protocol. Exits 1 if its resident memory at the end is
 * more than 10 MB above that after the first 5 %.
 */
import { join } from "node:path";
import { Address, parse } from "talk/core";
import { createRegistry } from "talk/registry";
import { givenNumbers, tell } from "./shared/figure.ts";
import { progress } from "./shared/progress.ts";

const root = join(import.meta.dir, "../..");

const [messages = 10_000_000] = givenNumbers();
const BODY = '{"user":"alice","text":"a message as people write them, of eighty characters or so, not more"}';

/** Most growth after the first 5 %, in MB. */
const GROWTH_MB = 10;

/** How long to watch for the least memory, in milliseconds, because garbage collection is not immediate. */
const WATCH_MS = 3000;

/** How often to read memory, in milliseconds. */
const LOOK_MS = 100;

/** Messages in flight over HTTP and WebSocket, and per burst over UDP. */
const WINDOW = 64;

/** Bursts between two looks at the number of dropped datagrams, which are sent again. */
const BURSTS = 50;

type Send = (count: number) => Promise<void>;

const senders: Record<string, (url: URL) => Promise<Send>> = {
  async HTTP(url) {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: BODY };
    return async (count) => {
      let left = count;
      const work = async () => {
        while (left-- > 0) {
          const { status, body } = await fetch(`${url.origin}/v1/message`, init);
          await body?.cancel();
          if (status !== 200) throw new Error(`answered ${status}`);
        }
      };
      await Promise.all(Array.from({ length: WINDOW }, work));
    };
  },

  async WEBSOCKET(url) {
    const socket = new WebSocket(`ws://${url.host}/v1/ws/message`);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    return (count) =>
      new Promise((resolve, reject) => {
        let sent = 0;
        let answered = 0;
        socket.onmessage = () => {
          if (++answered === count) resolve();
          else if (sent < count && sent++ >= 0) socket.send(BODY);
        };
        socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
        for (; sent < Math.min(WINDOW, count); sent++) socket.send(BODY);
      });
  },

  async UDP(url) {
    const answers = { heard: () => {} };
    const socket = await Bun.udpSocket({
      connect: { hostname: url.hostname, port: Number(url.port) },
      socket: { data: () => answers.heard() },
    });
    const batch = Array.from({ length: WINDOW }, () => BODY);
    return async (count) => {
      const before = await droppedAt(url.port);
      let sent = 0;
      for (let dropped = 0; sent - dropped < count; dropped = (await droppedAt(url.port)) - before) {
        for (let burst = 0; burst < BURSTS; burst++) {
          sent += socket.sendMany(batch);
          await Bun.sleep(1);
        }
      }
      // A listener reads in order: once it answers a probe, it has read everything before it.
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => socket.send(`id-checker ${crypto.randomUUID()}`), 200);
        answers.heard = () => {
          clearInterval(timer);
          resolve();
        };
      });
    };
  },
};

const registry = await createRegistry({ store: "memory:" });
const base = await registry.listen({ port: 0 });

for (const [protocol, open] of Object.entries(senders)) {
  const self = ["--name", protocol, "--protocol", protocol, "--port", "0", "--rate-limit", "0"];
  const client = Bun.spawn([process.execPath, `${root}/src/client/main.ts`, ...self, "--registry", base], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "inherit",
  });
  const ended = client.exited.then((code): never => {
    throw new Error(`the client on ${protocol} ended with exit code ${code}`);
  });
  // It also exits when stopped below, which is fine.
  ended.catch(() => {});
  const send = await open(await Promise.race([addressOf(protocol), ended]));
  const began = performance.now();
  let before = 0;
  for (let part = 1; part <= 20; part++) {
    await Promise.race([send(messages / 20), ended]);
    if (part === 1) before = await megabytes(client.pid, WATCH_MS);
    const now = (await megabytes(client.pid, 0)).toFixed(0);
    progress((part * messages) / 20, messages, `messages over ${protocol}, ${now} MB`);
  }
  const seconds = (performance.now() - began - WATCH_MS) / 1000;
  const after = await megabytes(client.pid, WATCH_MS);
  const growth = after - before;
  tell({
    what: `${messages.toLocaleString("en")} messages to a client over ${protocol}`,
    asked: `at most ${GROWTH_MB} MB more at the end than after 5 %`,
    seen: `${before.toFixed(1)} → ${after.toFixed(1)} MB, ${Math.round(messages / seconds).toLocaleString("en")} a second`,
    held: growth <= GROWTH_MB && client.exitCode === null,
  });
  client.kill("SIGTERM");
  await client.exited;
}
await registry.close();
process.exit();

/** The number of datagrams to a port that the system dropped because the listener did not keep up. */
async function droppedAt(port: string): Promise<number> {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, "0");
  const sockets = await Bun.file("/proc/net/udp").text();
  return Number(new RegExp(`^ *\\d+: \\w+:${hex} .* (\\d+)\\s*$`, "m").exec(sockets)?.[1] ?? 0);
}

/** A user's address, once registered. */
async function addressOf(user: string): Promise<URL> {
  for (;;) {
    const answer = await registry.fetch(new Request(`${base}/v1/users/${user}`));
    if (answer.ok) {
      const { host, port } = parse(Address, await answer.json());
      return new URL(`http://${host}:${port}`);
    }
    await Bun.sleep(20);
  }
}

/** The least resident memory of a process within `watchMs` milliseconds, in MB. */
async function megabytes(pid: number, watchMs: number): Promise<number> {
  const end = performance.now() + watchMs;
  let least = Number.POSITIVE_INFINITY;
  do {
    const status = await Bun.file(`/proc/${pid}/status`).text();
    least = Math.min(least, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
    await Bun.sleep(LOOK_MS);
  } while (performance.now() < end);
  return least;
}
