/** Makes sure that there is something to check. */

import { unreachable } from "../../src/client/network-errors.ts";
import { canonicalHost } from "../../src/core/address.ts";
import { atMost } from "../../src/core/clock.ts";
import { errorCode, TalkError } from "../../src/core/errors.ts";
import { encodeProbe } from "../../src/core/probe.ts";
import { connectUdp } from "../../src/core/udp-socket.ts";

/** How long a connection may take, in milliseconds. */
const CONNECT_MS = 5000;

/** How long to wait for a closed UDP port to refuse, in milliseconds; an open one may stay silent for as long. */
const REFUSAL_MS = 500;

interface Place {
  host: string;
  port: number;
}

/** @param url as given, for the error. @throws TalkError if no connection can be opened */
export async function reachOverTcp(url: string, { host, port }: Place): Promise<void> {
  const opened = Bun.connect({ hostname: host, port, socket: { data() {}, error() {} } });
  const socket = await atMost(CONNECT_MS, opened).catch((error) => fail(url, error));
  if (!socket) fail(url, undefined);
  socket.terminate();
}

/** Sends a harmless probe, as a registry does. @throws TalkError if the host is unknown or the port refuses */
export async function reachOverUdp(url: string, { host, port }: Place): Promise<void> {
  const refused = Promise.withResolvers<unknown>();
  const socket = await connectUdp(host, port, refused.resolve).catch((error) => fail(url, error));
  try {
    const own = { host: canonicalHost(socket.address.address), port: socket.address.port };
    socket.send(encodeProbe({ ...own, id: crypto.randomUUID().replaceAll("-", "") }));
    const refusal = await atMost(REFUSAL_MS, refused.promise);
    if (refusal !== undefined) fail(url, refusal);
  } finally {
    socket.close();
  }
}

function fail(url: string, error: unknown): never {
  const why = unreachable(error) ?? errorCode(error) ?? `no connection in ${CONNECT_MS / 1000} s`;
  throw new TalkError("unreachable", `nothing answers at ${url} (${why}); start the program to check first`);
}
