/** Every failure that Talk reports: its code, its HTTP status where it is a response, and its sentence. */

interface Refusal {
  status: number;
  /** Tells people what to do; `{…}` are filled in from `Details`. */
  sentence: string;
  /** Further response headers. */
  headers?: Record<string, string>;
}

/** Every refusal a listener can give. Stores, errors and HTTP share these codes. */
export const REFUSALS = {
  unauthorized: {
    status: 401,
    sentence: "This name has an owner; send its secret as Authorization: Bearer <secret>.",
    headers: { "WWW-Authenticate": "Bearer" },
  },
  forbidden: { status: 403, sentence: "This name has another owner; choose another name." },
  "foreign-origin": {
    status: 403,
    sentence: "Cross-origin requests are not allowed.",
  },
  "foreign-host": {
    status: 403,
    sentence: "This service does not answer to that host name; use localhost or its IP address.",
  },
  "unknown-path": { status: 404, sentence: "There is no such path; {hint}." },
  "unknown-user": { status: 404, sentence: "There is no such user; GET /v1/users lists them all." },
  taken: { status: 409, sentence: "This name is taken; choose another, or move the user with PUT." },
  own: { status: 409, sentence: "You have this name already; move it with PUT." },
  reserved: { status: 409, sentence: "This name is reserved for its owner; choose another." },
  "too-large": { status: 413, sentence: "{what} is too large; send at most {limit} bytes." },
  "not-json": { status: 415, sentence: "Send JSON with the header Content-Type: application/json." },
  "encoded-body": {
    status: 415,
    sentence: "Send the body without a Content-Encoding.",
    // Tells the client that the encoding was wrong, not the type (RFC 9110 §15.5.16).
    headers: { "Accept-Encoding": "identity" },
  },
  "upgrade-required": {
    status: 426,
    sentence: "This path takes WebSocket connections only.",
    headers: { Upgrade: "websocket" },
  },
  "too-fast": { status: 429, sentence: "Too many messages at once; wait {retryAfter} s." },
  "too-many-users": {
    status: 429,
    sentence: "Too many users were registered from your address; try again in {retryAfter} s.",
  },
  "asked-too-soon": {
    status: 429,
    sentence: "This was tested a moment ago; try again in {retryAfter} s.",
  },
  "too-many-streams": {
    status: 429,
    sentence: "Your address has too many streams open; close some, or use GET /v1/users.",
  },
  "streams-full": {
    status: 503,
    sentence: "The registry can serve no more streams now; use GET /v1/users meanwhile.",
  },
  full: { status: 503, sentence: "The registry is full; try again when users have left." },
} satisfies Record<string, Refusal>;

export type RefusalCode = keyof typeof REFUSALS;

/** Default Retry-After in seconds: by then all users have been checked, or streams have ended. */
const RETRY_AFTER: Record<string, number> = { full: 180, "streams-full": 60, "too-many-streams": 60 };

/** HTTP statuses of failures outside the table, whose sentences are made where they are thrown. */
const STATUS: Record<string, number> = { invalid: 400, "method-not-allowed": 405, "store-unavailable": 503 };

/** A failure with a sentence for people and a code for programs. */
export class TalkError extends Error {
  /**
   * @param code stable across versions
   * @param retryAfter seconds after which a retry may work
   */
  constructor(
    readonly code: string,
    message: string,
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** Values for the placeholders of a sentence. */
interface Details {
  what?: string;
  hint?: string;
  limit?: number;
  /** In seconds. */
  retryAfter?: number;
}

/** The error for a refusal, with its sentence filled in. */
export function refused(code: RefusalCode, details: Details = {}): TalkError {
  const values: Record<string, string | number> = { ...details };
  const sentence = REFUSALS[code].sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
  return new TalkError(code, sentence, details.retryAfter ?? RETRY_AFTER[code]);
}

/** The HTTP status and headers for a failure; 500 if its code is unknown. */
export function answerOf({ code }: TalkError): { status: number; headers: Record<string, string> } {
  const known: Refusal | undefined = isRefusal(code) ? REFUSALS[code] : undefined;
  return { status: known?.status ?? STATUS[code] ?? 500, headers: known?.headers ?? {} };
}

function isRefusal(code: string): code is RefusalCode {
  return Object.hasOwn(REFUSALS, code);
}

/** A host that may not be contacted: by default, by --check-deny, or because it is another machine's loopback. */
export class DeniedAddress extends TalkError {
  constructor(sentence: string) {
    super("denied-address", sentence);
  }
}

/** Input that breaks a rule. The sentence says which rule, and never repeats the input. */
export class InvalidInput extends TalkError {
  constructor(sentence: string) {
    super("invalid", sentence);
  }
}

/** A flag that is unknown, lacks its value or has a bad one. */
export class UsageError extends TalkError {
  constructor(sentence: string) {
    super("usage", sentence);
  }
}

export class MethodNotAllowed extends TalkError {
  constructor(readonly allowed: readonly string[]) {
    super("method-not-allowed", `This path takes ${allowed.join(", ")}.`);
  }
}

/** The store cannot be opened or is not responding. */
export class StoreUnavailable extends TalkError {
  /** @param reason for the operator only, so it may say more than a client should know. @default the sentence */
  constructor(
    sentence: string,
    readonly reason = sentence,
  ) {
    super("store-unavailable", sentence);
  }
}

/** The registry did not answer. */
export class RegistryUnreachable extends TalkError {
  constructor(
    readonly url: string,
    readonly reason: string,
  ) {
    super("registry-unreachable", `no registry at ${url} (${reason})`);
  }
}

/** Something other than a registry answers at the registry's URL. */
export class NoRegistry extends TalkError {
  constructor(url: string, why: string) {
    super("no-registry", `${url} is not a Talk registry (${why}); give the URL of one with --registry`);
  }
}

/** The registry answered with an error. */
export class RegistryRefused extends TalkError {
  /** @param waitSeconds its Retry-After in seconds, if it sent one */
  constructor(
    readonly status: number,
    sentence: string,
    readonly waitSeconds?: number,
  ) {
    const wait = waitSeconds === undefined ? "" : `; try again in ${waitSeconds} s`;
    super("registry-refused", sentence || `the registry answered ${status}${wait}`);
  }
}

/** The system code of an error or of its cause, such as `ECONNREFUSED`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? undefined : errorCode(error.cause);
}
