import { CannotListen } from "../../core/cannot-listen.ts";
import { InvalidInput, MethodNotAllowed, refused, TalkError } from "../../core/errors.ts";
import { closeReason, failureBody, failureOf, pathOf } from "../../core/http.ts";
import { decodeMessage } from "../../core/message.ts";
import { createOriginGuard } from "../../core/origin-guard.ts";
import { CLIENT_PATHS, MAX_BODY_BYTES, WEBSOCKET_CLOSE, WEBSOCKET_OK } from "../../core/protocol.ts";
import { createConnectionLimit } from "./connection-limit.ts";
import { createConnectionPool } from "./connection-pool.ts";
import type { Transport } from "./types.ts";
import { openWebSocketConnection } from "./websocket-connection.ts";

/** How long a request may take to arrive and upgrade, in seconds. */
const IDLE_SECONDS = 10;

/** A connection's source, and whether it was refused (too many), or is being closed (too fast). */
interface ConnectionData {
  source: string;
  state: "open" | "refused" | "closing";
}

/** Messages as text frames; the n-th answer belongs to the n-th frame. */
export const webSocket: Transport = {
  // Bounds what we buffer for a peer that does not read.
  window: { messages: 64, bytes: 256 * 1024 },

  async listen({ host, port, onMessage, delay, publicHost }) {
    const guard = createOriginGuard(host, publicHost);
    const limit = createConnectionLimit();
    try {
      const server = Bun.serve<ConnectionData>({
        hostname: host,
        port,
        idleTimeout: IDLE_SECONDS,
        fetch(request, server) {
          guard(request);
          // Some registries probe us by connecting to `/`; messages may come on it too.
          if (![CLIENT_PATHS.webSocket, CLIENT_PATHS.root].some((path) => path === pathOf(request))) {
            throw refused("unknown-path", { hint: `messages go to ${CLIENT_PATHS.webSocket}` });
          }
          if (request.method !== "GET") throw new MethodNotAllowed(["GET"]);
          const source = server.requestIP(request)?.address ?? "";
          if (!server.upgrade(request, { data: { source, state: "open" } }))
            throw refused("upgrade-required");
          return undefined;
        },
        error: failureOf,
        websocket: {
          maxPayloadLength: MAX_BODY_BYTES,
          perMessageDeflate: false,
          // Disconnect a peer that does not read its answers; otherwise some would be dropped from the sequence.
          closeOnBackpressureLimit: true,
          open(socket) {
            const { data } = socket;
            if (limit.admit(data.source)) return;
            data.state = "refused";
            socket.close(WEBSOCKET_CLOSE.tryAgain, "Too many connections; try again later.");
          },
          close({ data }) {
            if (data.state !== "refused") limit.release(data.source);
          },
          message(socket, frame) {
            const { data } = socket;
            // Ignore frames that arrived before our close frame left: the sender resends them.
            if (data.state !== "open") return;
            const wait = delay?.(data.source) ?? 0;
            if (wait > 0) {
              data.state = "closing";
              socket.close(WEBSOCKET_CLOSE.tooFast, closeReason(wait));
              return;
            }
            socket.send(answerTo(frame, (text) => onMessage(decodeMessage(text), data.source)));
          },
        },
      });
      return { port: server.port ?? port, close: () => server.stop(true) };
    } catch (error) {
      throw CannotListen.from(error, host, port);
    }
  },

  createSender: (mayContact) => createConnectionPool(openWebSocketConnection, mayContact),
};

function answerTo(frame: string | Buffer, deliver: (text: string) => void): string {
  try {
    if (typeof frame !== "string") throw new InvalidInput("Send text frames.");
    deliver(frame);
    return WEBSOCKET_OK;
  } catch (error) {
    if (error instanceof TalkError) return JSON.stringify(failureBody(error));
    throw error;
  }
}
