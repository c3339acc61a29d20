import { isRecord } from "../../src/core/schemas.ts";

interface Place {
  host: string;
  port: number;
}

/**
 * The answer to a registry's probe on UDP, in whichever of the two known forms it is: `id-checker <id>`, answered to
 * where it came from, or a message of `healthCheck`, whose text names where to. Undefined if it is neither.
 */
export function answerTo(datagram: Buffer, own: Place, from: Place): (Place & { body: string }) | undefined {
  const text = datagram.toString();
  const id = /^id-checker (\S+)/.exec(text)?.[1];
  if (id !== undefined) return { ...from, body: id };
  try {
    const message: unknown = JSON.parse(text);
    if (!isRecord(message) || message.user !== "healthCheck") return undefined;
    const probe: unknown = JSON.parse(String(message.text));
    if (!isRecord(probe)) return undefined;
    const body = JSON.stringify({ ...message, text: JSON.stringify({ ...own, id: probe.id }) });
    return { host: String(probe.host), port: Number(probe.port), body };
  } catch {
    return undefined;
  }
}
