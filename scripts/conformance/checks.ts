/** Watches how a registry checks its users, with a listener on each protocol and one user who does not exist. */
import { isUnspecified } from "../../src/core/address.ts";
import { TalkError } from "../../src/core/errors.ts";
import { encodeProbeAnswer, type Probe, readDatagram } from "../../src/core/probe.ts";
import { localAddressTowards } from "../../src/core/udp-socket.ts";
import type { Registry } from "./registry.ts";
import { Mismatch, NotChecked } from "./row.ts";

/** Bounds of the longest time between two checks of a user, in milliseconds: 2–3 minutes, and some slack. */
const LONGEST_MS = { min: 115_000, max: 185_000 };

/** How long to watch, in milliseconds: a registry may probe more often while it suspects itself or another user. */
const WATCH_MS = 2 * LONGEST_MS.max;

/** How often to fetch the list meanwhile, in milliseconds. */
const LOOK_MS = 200;

/** What was seen. Each method throws Mismatch if it was wrong. */
export interface Checks {
  /** @throws NotChecked if there was not enough time */
  expectInterval(): void;
  expectHttp(): void;
  expectWebSocket(): void;
  expectUdp(): void;
  expectKept(): void;
  expectRemoved(): void;
}

/** @param host the registry's host. @param wait how long to watch at most, in milliseconds. @throws NotChecked */
export async function watchChecks(registry: Registry, host: string, wait: number): Promise<Checks> {
  if (wait === 0) throw new NotChecked("it takes minutes; --wait 400 sees it");
  const own = await localAddressTowards(host);
  const seen = { http: "", webSocket: false, udp: "", removed: false };
  /** When the HTTP user was checked. */
  const times: number[] = [];

  const http = Bun.serve({
    hostname: own,
    port: 0,
    fetch(request) {
      times.push(performance.now());
      seen.http ||= `${request.method} ${new URL(request.url).pathname}`;
      return Response.json({ status: "ok" });
    },
  });
  const webSocket = Bun.serve({
    hostname: own,
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 426 })),
    websocket: {
      open() {
        seen.webSocket = true;
      },
      message() {},
    },
  });
  const udp = await Bun.udpSocket({
    hostname: own,
    port: 0,
    socket: {
      data(socket, datagram, port, address) {
        seen.udp ||= datagram.toString();
        const probe = readProbe(datagram);
        if (!probe) return;
        const registered = { protocol: "UDP" as const, host: own, port: socket.port };
        const body = encodeProbeAnswer(probe, registered, datagram.byteLength);
        // Without a reply address, or with a wildcard, answer to the probe's source.
        const named = probe.replyTo && !isUnspecified(probe.replyTo.host) ? probe.replyTo.host : address;
        socket.send(body, probe.replyTo?.port ?? port, named);
      },
      error() {},
    },
  });

  const register = async (protocol: string, port: number) => {
    const user = registry.newName(protocol.toLowerCase());
    await registry.post(user, { protocol, host: own, port });
    return user;
  };
  let began = 0;
  let kept: boolean[];
  try {
    const present = [
      await register("HTTP", http.port ?? 0),
      await register("WEBSOCKET", webSocket.port ?? 0),
      await register("UDP", udp.port),
    ];
    const absent = await register("HTTP", await closedPort(own));
    began = performance.now();
    const deadline = began + wait;
    const isDone = () => wait < WATCH_MS && times.length > 0 && seen.webSocket && seen.udp && seen.removed;
    while (performance.now() < deadline && !isDone()) {
      await Bun.sleep(LOOK_MS);
      seen.removed = (await registry.listed(absent)).entry === undefined;
    }
    kept = await Promise.all(present.map(async (user) => (await registry.listed(user)).entry !== undefined));
  } finally {
    // Even if the registry has no list: open listeners would keep the process alive.
    await Promise.all([http.stop(true), webSocket.stop(true)]);
    udp.close();
  }

  const within = `within ${wait / 1000} s`;
  function expectThat(ok: boolean, expected: string, received: string): void {
    if (!ok)
      throw new Mismatch(`${expected} ${within}`, `registered a user at ${own}`, received || "nothing");
  }

  return {
    expectInterval() {
      if (wait < WATCH_MS) throw new NotChecked("it takes six minutes; --wait 400 sees it");
      const gaps = times.map((time, i) => time - (times[i - 1] ?? began));
      const longest = Math.max(...gaps);
      const ok = longest >= LONGEST_MS.min && longest <= LONGEST_MS.max && gaps.length > 1;
      const received = `${gaps.length} checks, the longest gap ${(longest / 1000).toFixed(1)} s`;
      expectThat(ok, "checks, 2–3 minutes apart at most,", received);
    },
    expectHttp: () => expectThat(seen.http === "GET /v1/health", "GET /v1/health", seen.http),
    expectWebSocket: () => expectThat(seen.webSocket, "a WebSocket connection", ""),
    expectUdp: () => expectThat(/\w{8}/.test(seen.udp), "a datagram with an id", seen.udp),
    expectKept: () =>
      expectThat(!kept.includes(false), "that a user who answers stays in the list", "it was removed"),
    expectRemoved: () =>
      expectThat(seen.removed, "that a user who refuses is removed from the list", "it stayed"),
  };
}

/** Undefined if the datagram is no probe. */
function readProbe(datagram: Buffer): Probe | undefined {
  try {
    const read = readDatagram(datagram);
    return "probe" in read ? read.probe : undefined;
  } catch (error) {
    if (error instanceof TalkError) return undefined;
    throw error;
  }
}

/** A port nobody listens on. */
async function closedPort(hostname: string): Promise<number> {
  const server = Bun.serve({ hostname, port: 0, fetch: () => new Response("") });
  const { port = 0 } = server;
  await server.stop(true);
  return port;
}
