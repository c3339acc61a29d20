/**
 * The registry's question to a client on UDP, and the client's answer: an ordinary message of the user
 * `healthCheck` whose text is the JSON of an address and an id. A second form, the datagram `id-checker <id>`,
 * is spoken by registries of another make.
 */
import { parseJson } from "./json.ts";
import { decodeMessage } from "./message.ts";
import { PROBE_USER } from "./protocol.ts";
import { type Address, isRecord, type Message } from "./schemas.ts";

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

/** A probe, or the answer to one in the same envelope: where whoever sends it is to be found, and the id. */
export function encodeProbe({ host, port, id }: { host: string; port: number; id: string }): string {
  return JSON.stringify({ user: PROBE_USER, text: JSON.stringify({ host, port, id }) });
}

/** The answer to a probe, never longer than it (`limit`, in bytes): the same envelope with our own address, else the bare id. */
export function encodeProbeAnswer({ id, replyTo }: Probe, own: Address, limit: number): string {
  if (!replyTo) return id;
  const envelope = encodeProbe({ host: own.host, port: own.port, id });
  return Buffer.byteLength(envelope) <= limit ? envelope : id;
}

/** Undefined if the text is not what a probe's is: then it is a text like any other. */
function readProbe(text: string): Probe | undefined {
  try {
    const value = parseJson(text);
    if (!isRecord(value)) return undefined;
    const { host, id } = value;
    const port = Number(value.port);
    if (typeof host !== "string" || typeof id !== "string" || id === "") return undefined;
    if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined;
    return { id, replyTo: { host, port } };
  } catch {
    return undefined;
  }
}
