/** Watches how a registry checks its users: listeners of our own on each protocol, and one user who is not there. */
import { localAddressTowards } from "../../src/core/udp.ts";
import { answerTo } from "./probe-answer.ts";
import type { Registry } from "./registry.ts";
import { Mismatch, NotChecked } from "./row.ts";

/** How often the list is looked at meanwhile, in milliseconds. */
const LOOK_MS = 200;

/** What was seen; each throws Mismatch if it was not what must be. */
export interface Checks {
  expectHttp(): void;
  expectWebSocket(): void;
  expectUdp(): void;
  expectKept(): void;
  expectRemoved(): void;
}

/** @param host the registry's. @param wait how long to watch at most, in milliseconds. @throws NotChecked */
export async function watchChecks(registry: Registry, host: string, wait: number): Promise<Checks> {
  if (wait === 0) throw new NotChecked("it takes minutes; --wait 200 waits for it");
  const own = await localAddressTowards(host);
  const seen = { http: "", webSocket: false, udp: "", removed: false };

  const http = Bun.serve({
    hostname: own,
    port: 0,
    fetch(request) {
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
  while (performance.now() < deadline && !(seen.http && seen.webSocket && seen.udp && seen.removed)) {
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
