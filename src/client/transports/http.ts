import { urlHost } from "../../core/address.ts";
import { CannotListen, errorCode, MethodNotAllowed, UnknownPath } from "../../core/errors.ts";
import { failureOf, OK, pathOf, readJson } from "../../core/http.ts";
import { CLIENT_PATHS } from "../../core/protocol.ts";
import { Message, parse } from "../../core/schemas.ts";
import type { Outcome, Transport } from "./index.ts";
import { unreachable } from "./unreachable.ts";

/** How long a peer may take for its answer, in milliseconds. */
const ANSWER_MS = 5000;

/** Messages as POST requests. */
export const http: Transport = {
  // The next request leaves when the last is answered: requests side by side may overtake each other.
  window: { messages: 1, bytes: Number.POSITIVE_INFINITY },

  async listen({ host, port, onMessage }) {
    const routes: Record<string, Record<string, (request: Request) => Response | Promise<Response>>> = {
      [CLIENT_PATHS.health]: { GET: () => Response.json(OK) },
      [CLIENT_PATHS.message]: {
        async POST(request) {
          onMessage(parse(Message, await readJson(request)));
          return Response.json(OK);
        },
      },
    };
    try {
      const server = Bun.serve({
        hostname: host,
        port,
        // Counted in readJson, which answers in JSON where Bun would answer with nothing.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        routes,
        fetch(request) {
          const methods = Object.keys(routes[pathOf(request)] ?? {});
          if (methods.length > 0) throw new MethodNotAllowed(methods);
          throw new UnknownPath(`messages go to ${CLIENT_PATHS.message}`);
        },
        error: failureOf,
      });
      return { port: server.port ?? port, close: () => server.stop(true) };
    } catch (error) {
      throw CannotListen.from(error, host, port);
    }
  },

  createSender() {
    return {
      async send({ host, port }, body) {
        try {
          const response = await fetch(`http://${urlHost(host)}:${port}${CLIENT_PATHS.message}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
            // A redirect would hand the message to a host that the registry never named.
            redirect: "manual",
            signal: AbortSignal.timeout(ANSWER_MS),
          });
          // Not read: a peer could answer without end.
          await response.body?.cancel();
          return response.ok
            ? { type: "delivered" }
            : { type: "failed", reason: `it answered ${response.status}` };
        } catch (error) {
          return outcomeOf(error);
        }
      },
      close() {},
    };
  },
};

function outcomeOf(error: unknown): Outcome {
  const reason = unreachable(errorCode(error));
  if (reason) return { type: "failed", reason };
  if (error instanceof Error && error.name === "TimeoutError") {
    return { type: "unanswered", seconds: ANSWER_MS / 1000 };
  }
  return { type: "broken" };
}
