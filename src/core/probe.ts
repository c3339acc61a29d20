/**
 * Health checks on the three protocols: the registry's probes and the client's answers. HTTP: `GET /v1/health`.
 * WebSocket: opening a connection. UDP: a datagram with a random id, in one of two forms: a message from the user
 * `healthCheck` whose text is JSON with the reply address and the id; or `id-checker <id>`.
 */
import { errorCode } from "./errors.ts";
import { parseJson } from "./http.ts";
import { decodeMessage } from "./message.ts";
import { CLIENT_PATHS, PROBE_USER } from "./protocol.ts";
import { openWebSocket, request } from "./request.ts";
import { type Address, isRecord, type Message } from "./schemas.ts";

/**
 * Whether a client listens `at` an IP address and port.
 * @param host the registered host and port, for the Host header, because it may be a virtual host
 * @throws the system's error; the signal's reason
 */
export type TcpProbe = (at: string, host: string, signal: AbortSignal) => Promise<boolean>;

/** Probes a client on HTTP; any 2xx counts as alive. */
export const probeHttp: TcpProbe = async (at, host, signal) => {
  const response = await request(`http://${at}${CLIENT_PATHS.health}`, {
    headers: { host },
    keepalive: false,
    signal,
  });
  // Not read: it might never end.
  await response.body?.cancel();
  return response.ok;
};

/** Probes a client on WebSocket: at the usual path, then at `/`, because some clients listen only there. */
export const probeWebSocket: TcpProbe = async (...to) =>
  (await opensWebSocket(CLIENT_PATHS.webSocket, ...to)) || opensWebSocket(CLIENT_PATHS.root, ...to);

function opensWebSocket(path: string, ...[at, host, signal]: Parameters<TcpProbe>): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = openWebSocket(`ws://${at}${path}`, { host });
  signal.addEventListener("abort", () => reject(signal.reason));
  socket.addEventListener("open", () => resolve(true));
  socket.addEventListener("error", (event) => {
    const error = "error" in event ? event.error : undefined;
    // Some refuse a path with a plain HTTP response (an error without a code), others by closing the connection.
    if ([undefined, "ECONNRESET"].includes(errorCode(error))) resolve(false);
    else reject(error);
  });
  return promise.finally(() => socket.terminate());
}

/** The form of a UDP probe. Some clients know only `id-checker`; others crash on anything but a message. */
export type ProbeForm = "message" | "id-checker";

/** The reply address of a probe, and its random id. */
export interface ProbeData {
  host: string;
  port: number;
  id: string;
}

/** Encodes a UDP probe. The form `id-checker` carries no reply address: the answer goes to the datagram's source. */
export function encodeProbe({ host, port, id }: ProbeData, form: ProbeForm = "message"): string {
  switch (form) {
    case "message":
      return JSON.stringify({ user: PROBE_USER, text: JSON.stringify({ host, port, id }) });
    case "id-checker":
      return `id-checker ${id}`;
  }
}

/** A decoded probe: the id to send back, and where to, if not to the datagram's source. */
export interface Probe {
  id: string;
  replyTo?: { host: string; port: number };
}

/** Decodes a datagram. @throws InvalidInput if it is neither a probe nor a message */
export function readDatagram(datagram: Uint8Array): { probe: Probe } | { message: Message } {
  const id = /^id-checker (\S{1,256})\s*$/.exec(Buffer.from(datagram).toString("latin1"))?.[1];
  if (id !== undefined) return { probe: { id } };
  const message = decodeMessage(datagram);
  const probe = message.user === PROBE_USER ? readProbe(message.text) : undefined;
  return probe ? { probe } : { message };
}

/**
 * Encodes the answer to a probe, never longer than the probe, so that nobody can use us for amplification.
 * @param own our registered address, by which some registries identify the answer
 * @param limit the length of the probe, in bytes
 */
export function encodeProbeAnswer({ id, replyTo }: Probe, own: Address, limit: number): string {
  if (!replyTo) return id;
  // Echoing their address says less, but is still a message: some registries crash on anything else.
  const envelopes = [own, replyTo].flatMap((named) => [
    encodeProbe({ ...named, id }),
    ...encodeWithNumber({ ...named, id }),
  ]);
  return envelopes.find((envelope) => Buffer.byteLength(envelope) <= limit) ?? id;
}

/** The same with a numeric id unquoted: four bytes shorter, and equal to parsers that coerce types (Jackson). */
function encodeWithNumber({ host, port, id }: ProbeData): string[] {
  if (!/^-?[1-9]\d*$/.test(id)) return [];
  const text = `{"host":${JSON.stringify(host)},"port":${port},"id":${id}}`;
  return [JSON.stringify({ user: PROBE_USER, text })];
}

/** The probe in a message's text; undefined if it holds none, and is an ordinary message. */
function readProbe(text: string): Probe | undefined {
  try {
    const value = parseJson(text);
    if (!isRecord(value)) return undefined;
    const { host } = value;
    const port = Number(value.port);
    // JSON.parse would round a long number.
    const id = typeof value.id === "number" ? /"id"\s*:\s*(-?\d+)\s*[,}]/.exec(text)?.[1] : value.id;
    if (typeof host !== "string" || typeof id !== "string" || id === "") return undefined;
    if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined;
    return { id, replyTo: { host, port } };
  } catch {
    return undefined;
  }
}
