/**
 * The health checks of the three protocols, as a registry asks them and as a client answers. HTTP: `GET /v1/health`.
 * WebSocket: a connection. UDP: a datagram with a random id, in one of two forms: an ordinary message of the user
 * `healthCheck`, whose text is the JSON of an address to answer to and the id; or `id-checker <id>`.
 */
import { errorCode } from "./errors.ts";
import { parseJson } from "./http.ts";
import { decodeMessage } from "./message.ts";
import { CLIENT_PATHS, PROBE_USER } from "./protocol.ts";
import { openWebSocket, request } from "./request.ts";
import { type Address, isRecord, type Message } from "./schemas.ts";

/**
 * Whether what listens `at` an IP address and port is a client. @param host what the address named, which may be a
 * virtual host, with its port
 * @throws the system's error; the signal's reason
 */
export type TcpProbe = (at: string, host: string, signal: AbortSignal) => Promise<boolean>;

/** Asks for the health of a client on HTTP, which any 2xx shows. */
export const probeHttp: TcpProbe = async (at, host, signal) => {
  const response = await request(`http://${at}${CLIENT_PATHS.health}`, {
    headers: { host },
    keepalive: false,
    signal,
  });
  // Not read: it could be without end.
  await response.body?.cancel();
  return response.ok;
};

/** Opens a connection to a client on WebSocket, at `/` where it is refused at the usual path: some listen only there. */
export const probeWebSocket: TcpProbe = async (...to) =>
  (await opensWebSocket(CLIENT_PATHS.webSocket, ...to)) || opensWebSocket(CLIENT_PATHS.root, ...to);

function opensWebSocket(path: string, ...[at, host, signal]: Parameters<TcpProbe>): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = openWebSocket(`ws://${at}${path}`, { host });
  signal.addEventListener("abort", () => reject(signal.reason));
  socket.addEventListener("open", () => resolve(true));
  socket.addEventListener("error", (event) => {
    const error = "error" in event ? event.error : undefined;
    // Some refuse a path with an answer that is no upgrade, which has no code, and some by closing the connection.
    if ([undefined, "ECONNRESET"].includes(errorCode(error))) resolve(false);
    else reject(error);
  });
  return promise.finally(() => socket.terminate());
}

/** How a probe on UDP is written. Some clients know only `id-checker`, and others end at what is no message. */
export type ProbeForm = "message" | "id-checker";

/** Where the answer to a probe goes, and its random id. */
export interface ProbeData {
  host: string;
  port: number;
  id: string;
}

/** A probe on UDP. In the form `id-checker` it says nothing of where to answer: that is where it came from. */
export function encodeProbe({ host, port, id }: ProbeData, form: ProbeForm = "message"): string {
  switch (form) {
    case "message":
      return JSON.stringify({ user: PROBE_USER, text: JSON.stringify({ host, port, id }) });
    case "id-checker":
      return `id-checker ${id}`;
  }
}

/** What a client reads from a probe: the id to send back, and where to, unless that is where it came from. */
export interface Probe {
  id: string;
  replyTo?: { host: string; port: number };
}

/** A datagram as a probe or a message. @throws InvalidInput if it is neither */
export function readDatagram(datagram: Uint8Array): { probe: Probe } | { message: Message } {
  const id = /^id-checker (\S{1,256})\s*$/.exec(Buffer.from(datagram).toString("latin1"))?.[1];
  if (id !== undefined) return { probe: { id } };
  const message = decodeMessage(datagram);
  const probe = message.user === PROBE_USER ? readProbe(message.text) : undefined;
  return probe ? { probe } : { message };
}

/**
 * The answer to a probe, never longer than it, so that nobody gets more from us than they sent.
 * @param own our address as it is registered, by which some registries know whose answer it is
 * @param limit the length of the probe, in bytes
 */
export function encodeProbeAnswer({ id, replyTo }: Probe, own: Address, limit: number): string {
  if (!replyTo) return id;
  // Their own address back tells less, but a registry that ends at what is no message survives it.
  const envelopes = [own, replyTo].flatMap((named) => [
    encodeProbe({ ...named, id }),
    ...encodeWithNumber({ ...named, id }),
  ]);
  return envelopes.find((envelope) => Buffer.byteLength(envelope) <= limit) ?? id;
}

/** The same with the id as a number, if it is one: four bytes shorter, and the same to readers that convert (Jackson). */
function encodeWithNumber({ host, port, id }: ProbeData): string[] {
  if (!/^-?[1-9]\d*$/.test(id)) return [];
  const text = `{"host":${JSON.stringify(host)},"port":${port},"id":${id}}`;
  return [JSON.stringify({ user: PROBE_USER, text })];
}

/** Undefined if the text is not what a probe's is: then it is a text like any other. */
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
