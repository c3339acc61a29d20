/** What asks, over TCP, whether a client is there; `probe.ts` has the question on UDP. */
import { errorCode } from "./errors.ts";
import { CLIENT_PATHS } from "./protocol.ts";

/**
 * Whether what listens `at` an IP address and port is a client. @param host what the address named, which may be a
 * virtual host, with its port
 * @throws the system's error; the signal's reason
 */
export type TcpProbe = (at: string, host: string, signal: AbortSignal) => Promise<boolean>;

/** Asks for the health of a client on HTTP, which any 2xx shows. */
export const probeHttp: TcpProbe = async (at, host, signal) => {
  const response = await fetch(`http://${at}${CLIENT_PATHS.health}`, {
    headers: { host },
    redirect: "manual",
    keepalive: false,
    signal,
  });
  // Not read: it could be without end.
  await response.body?.cancel();
  return response.ok;
};

/** Opens a connection to a client on WebSocket. */
export const probeWebSocket: TcpProbe = (at, host, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = new WebSocket(`ws://${at}${CLIENT_PATHS.webSocket}`, { headers: { host } });
  signal.addEventListener("abort", () => reject(signal.reason));
  socket.addEventListener("open", () => resolve(true));
  socket.addEventListener("error", (event) => {
    const error = "error" in event ? event.error : undefined;
    // An error without a code is an answer that is no upgrade.
    if (errorCode(error) === undefined) resolve(false);
    else reject(error);
  });
  return promise.finally(() => socket.terminate());
};
