/** What the wire fixes: paths, schemes, default ports and limits. */

/** The protocols a client can listen on, with the URL scheme and the port it takes unless told otherwise. */
export const PROTOCOLS = {
  HTTP: { scheme: "http", defaultPort: 8080 },
  WEBSOCKET: { scheme: "ws", defaultPort: 8082 },
  UDP: { scheme: "udp", defaultPort: 3000 },
} as const;

/** Whether a word is the name of one of them. */
export function isProtocol(word: unknown): word is keyof typeof PROTOCOLS {
  return typeof word === "string" && Object.hasOwn(PROTOCOLS, word);
}

/** Paths of the registry's API. */
export const REGISTRY_PATHS = {
  users: "/v1/users",
  health: "/v1/health",
  events: "/v1/events",
  metrics: "/metrics",
  docs: "/swagger",
} as const;

/** Stands in a registry's answers, with the value `network`, if other machines can reach it. */
export const REACH_HEADER = "talk-reach";

/** Paths a client listens on. */
export const CLIENT_PATHS = {
  message: "/v1/message",
  webSocket: "/v1/ws/message",
  health: "/v1/health",
  /** Where some registries look whether a client is there, over HTTP and WebSocket. */
  root: "/",
} as const;

/** Most characters of a user's name. */
export const MAX_NAME_LENGTH = 64;

/** Most bytes of an encoded message on any protocol: it has to fit one UDP datagram (65,507 bytes). */
export const MAX_MESSAGE_BYTES = 64_000;

/** Most bytes of an HTTP body or a WebSocket frame that are read. */
export const MAX_BODY_BYTES = 64 * 1024;

/** Messages a second that a client takes from one source, unless told otherwise. */
export const MESSAGES_PER_SECOND = 500;

/** The port a registry listens on unless told otherwise. */
export const REGISTRY_PORT = 8088;

/** Where a registry is, unless one is told otherwise. */
export const REGISTRY_URL = `http://127.0.0.1:${REGISTRY_PORT}`;

/** The sender's name that marks a datagram as a probe of the registry. */
export const PROBE_USER = "healthCheck";

/** What a WebSocket listener says of a frame it took; a Kotlin peer waits for exactly this. */
export const WEBSOCKET_OK = "OK";

/** How a listener closes a WebSocket whose frames it takes later: a policy is violated (RFC 6455 §7.4.1), try again later (IANA). */
export const WEBSOCKET_CLOSE = { tooFast: 1008, tryAgain: 1013 } as const;
