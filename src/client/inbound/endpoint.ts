import { CannotListen } from "../../core/errors.ts";
import { PROTOCOLS } from "../../core/protocol.ts";
import type { Protocol } from "../../core/schemas.ts";
import { transports } from "../transports/index.ts";
import type { Listener, ListenOptions } from "../transports/types.ts";

/** How many ports behind the default are tried. */
const ATTEMPTS = 100;

/**
 * Listens on the given port, or else on the protocol's default or the next free port behind it.
 * @throws CannotListen
 */
export async function listenOn(
  protocol: Protocol,
  port: number | undefined,
  options: Omit<ListenOptions, "port">,
): Promise<Listener> {
  const { listen } = transports[protocol];
  if (port !== undefined) return listen({ ...options, port });
  const first = PROTOCOLS[protocol].defaultPort;
  for (let candidate = first; candidate < first + ATTEMPTS; candidate++) {
    try {
      return await listen({ ...options, port: candidate });
    } catch (error) {
      if (!(error instanceof CannotListen && error.reason === "in-use")) throw error;
    }
  }
  throw new CannotListen("in-use", options.host, first);
}
