import { isProtocol } from "../../core/protocol.ts";
import type { Protocol } from "../../core/schemas.ts";
import { http } from "./http.ts";
import type { Transport } from "./types.ts";
import { udp } from "./udp.ts";
import { webSocket } from "./websocket.ts";

export const transports: Record<Protocol, Transport> = { HTTP: http, WEBSOCKET: webSocket, UDP: udp };

/** The transport for a listed protocol; undefined if we do not speak it. */
export function transportFor(protocol: string): Transport | undefined {
  return isProtocol(protocol) ? transports[protocol] : undefined;
}
