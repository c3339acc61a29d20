/** Constants of the wire protocol: paths, schemes, default ports and limits. */

/**
 * The protocols a client can listen on, and the transport below each. A client listens on `defaultPort` unless told
 * otherwise; `urlPort` is the port of a URL that names none (RFC 9110 §4.2.1, RFC 6455 §3).
 */
export const PROTOCOLS = {
  HTTP: { scheme: "http", transport: "TCP", defaultPort: 8080, urlPort: 80 },
  WEBSOCKET: { scheme: "ws", transport: "TCP", defaultPort: 8082, urlPort: 80 },
  UDP: { scheme: "udp", transport: "UDP", defaultPort: 3000, urlPort: undefined },
} as const;

/** Whether a value names a protocol. */
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

/** Response header of a registry that other machines can reach; its value is `network`. */
export const REACH_HEADER = "talk-reach";

/** Paths a client listens on. */
export const CLIENT_PATHS = {
  message: "/v1/message",
  webSocket: "/v1/ws/message",
  health: "/v1/health",
  /** Where some registries probe clients, over HTTP and WebSocket. */
  root: "/",
} as const;

/** Most characters in a user name. */
export const MAX_NAME_LENGTH = 64;

/** Most bytes in an encoded message, on any protocol: it must fit into one UDP datagram (65,507 bytes). */
export const MAX_MESSAGE_BYTES = 64_000;

/** Most bytes read of an HTTP body or a WebSocket frame. */
export const MAX_BODY_BYTES = 64 * 1024;

/** Messages a second that a client accepts from one source, by default. */
export const MESSAGES_PER_SECOND = 500;

/** The registry's default port. */
export const REGISTRY_PORT = 8088;

/** The default URL of the registry. */
export const REGISTRY_URL = `http://127.0.0.1:${REGISTRY_PORT}`;

/** The user name that marks a datagram as a registry's probe. */
export const PROBE_USER = "healthCheck";

/** A WebSocket listener's reply to an accepted frame; a Kotlin peer waits for exactly this. */
export const WEBSOCKET_OK = "OK";

/** Close codes for a sender who must wait: policy violation (RFC 6455 §7.4.1), try again later (IANA registry). */
export const WEBSOCKET_CLOSE = { tooFast: 1008, tryAgain: 1013 } as const;
