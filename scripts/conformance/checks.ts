/** Watches how a registry checks its users: listeners of our own on each protocol, and one user who is not there. */
import { localAddressTowards } from "../../src/core/udp.ts";
import { answerTo } from "./probe-answer.ts";
import type { Registry } from "./registry.ts";
import { Mismatch, NotChecked } from "./row.ts";

/** Between two checks of a user lie two to three minutes, give or take a slow answer; in milliseconds. */
const INTERVAL_MS = { min: 115_000, max: 185_000 };

/** How long to wait to see two checks: the first may take three minutes, and so may the second. */
const TWO_CHECKS_MS = 2 * INTERVAL_MS.max;

/** How often the list is looked at meanwhile, in milliseconds. */
const LOOK_MS = 200;

/** What was seen; each throws Mismatch if it was not what must be. */
export interface Checks {
  /** @throws NotChecked when there was no time for two checks */
  expectInterval(): void;
  expectHttp(): void;
  expectWebSocket(): void;
  expectUdp(): void;
  expectKept(): void;
  expectRemoved(): void;
}

/** @param host the registry's. @param wait how long to watch at most, in milliseconds. @throws NotChecked */
export async function watchChecks(registry: Registry, host: string, wait: number): Promise<Checks> {
  if (wait === 0) throw new NotChecked("it takes minutes; --wait 400 sees it");
  const own = await localAddressTowards(host);
  const seen = { http: "", webSocket: false, udp: "", removed: false };
  /** When the user on HTTP was checked. */
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
        const answer = answerTo(datagram, { host: own, port: socket.port }, { host: address, port });
        seen.udp ||= datagram.toString();
        if (answer) socket.send(answer.body, answer.port, answer.host);
      },
      error() {},
    },
  });

  const register = async (protocol: string, port: number) => {
    const user = registry.newName(`-${protocol.toLowerCase()}`);
    await registry.ask("POST", "", { user, address: { protocol, host: own, port } });
    return user;
  };
  const present = [
    await register("HTTP", http.port ?? 0),
    await register("WEBSOCKET", webSocket.port ?? 0),
    await register("UDP", udp.port),
  ];
  const absent = await register("HTTP", await closedPort(own));
  const deadline = performance.now() + wait;
  const checks = wait < TWO_CHECKS_MS ? 1 : 2;
  const isDone = () => times.length >= checks && seen.webSocket && seen.udp && seen.removed;
  while (performance.now() < deadline && !isDone()) {
    await Bun.sleep(LOOK_MS);
    seen.removed = (await registry.listed(absent)).entry === undefined;
  }
  const kept = await Promise.all(
    present.map(async (user) => (await registry.listed(user)).entry !== undefined),
  );
  await Promise.all([http.stop(true), webSocket.stop(true)]);
  udp.close();

  const within = `within ${wait / 1000} s`;
  function expectThat(ok: boolean, expected: string, received: string): void {
    if (!ok)
      throw new Mismatch(`${expected} ${within}`, `registered a user at ${own}`, received || "nothing");
  }

  return {
    expectInterval() {
      const minutes = TWO_CHECKS_MS / 60_000;
      if (checks < 2)
        throw new NotChecked(`two checks take up to ${minutes.toFixed(0)} minutes; --wait 400 sees them`);
      const [first = 0, second = Number.POSITIVE_INFINITY] = times;
      const ms = second - first;
      const ok = ms >= INTERVAL_MS.min && ms <= INTERVAL_MS.max;
      expectThat(ok, "two checks, 2–3 minutes apart,", `two checks, ${(ms / 1000).toFixed(1)} s apart`);
    },
    expectHttp: () => expectThat(seen.http === "GET /v1/health", "GET /v1/health", seen.http),
    expectWebSocket: () => expectThat(seen.webSocket, "a WebSocket connection", ""),
    expectUdp: () => expectThat(/\w{8}/.test(seen.udp), "a datagram with an id", seen.udp),
    expectKept: () =>
      expectThat(!kept.includes(false), "that who answers stays in the list", "it was removed"),
    expectRemoved: () => expectThat(seen.removed, "that who refuses leaves the list", "it stayed"),
  };
}

/** A port on which nobody listens. */
async function closedPort(hostname: string): Promise<number> {
  const server = Bun.serve({ hostname, port: 0, fetch: () => new Response("") });
  const { port = 0 } = server;
  await server.stop(true);
  return port;
}
