/** A failure with a sentence for people and a code for programs. */
export class TalkError extends Error {
  /** @param code stable; the HTTP status, where the failure is an answer, follows from it. */
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** Input from outside that breaks a rule; the sentence says which, and never repeats the input. */
export class InvalidInput extends TalkError {
  constructor(sentence: string) {
    super("invalid", sentence);
  }
}

/** A flag that is unknown, incomplete or has a bad value. */
export class UsageError extends TalkError {
  constructor(sentence: string) {
    super("usage", sentence);
  }
}

export class UnknownPath extends TalkError {
  constructor(hint: string) {
    super("unknown-path", `There is no such path; ${hint}.`);
  }
}

export class UnknownUser extends TalkError {
  constructor() {
    super("unknown-user", "There is no such user; GET /v1/users lists them all.");
  }
}

/** A request that a web page of another origin had its browser send. */
export class ForeignOrigin extends TalkError {
  constructor() {
    super(
      "foreign-origin",
      "Web pages of another origin may not ask here; use the pages of this host, or a program.",
    );
  }
}

/** A request to a name under which a service on loopback was hardly meant. */
export class ForeignHost extends TalkError {
  constructor() {
    super("foreign-host", "This service is not known by that name; ask for localhost or for its IP address.");
  }
}

/** A host at which, by its kind or by the operator's word, nobody is ever contacted. */
export class DeniedAddress extends TalkError {
  constructor() {
    super("denied-address", "its address is one that is never contacted");
  }
}

/** A loopback address that a registry on another machine lists: here it leads to somebody else. */
export class ElsewhereLoopback extends TalkError {
  constructor(host: string) {
    super(
      "elsewhere-loopback",
      `registered at ${host}, which only their own machine reaches; they should start with --host <their address>`,
    );
  }
}

export class MethodNotAllowed extends TalkError {
  constructor(readonly allowed: readonly string[]) {
    super("method-not-allowed", `This path takes ${allowed.join(", ")}.`);
  }
}

export class NameTaken extends TalkError {
  /** @param owner `you` if who asks has shown the secret of the name */
  constructor(readonly owner?: "you") {
    super(
      "name-taken",
      owner
        ? "You have this name already; move it with PUT."
        : "This name is taken; choose another, or move the user with PUT.",
    );
  }
}

/** Another had the name until a check failed, and has some time to come back. */
export class NameReserved extends TalkError {
  constructor() {
    super("name-taken", "This name is reserved for its owner; choose another.");
  }
}

export class Unauthorized extends TalkError {
  constructor() {
    super("unauthorized", "This name has an owner; send its secret as Authorization: Bearer <secret>.");
  }
}

export class NotOwner extends TalkError {
  constructor() {
    super("not-owner", "This name has another owner; choose another name.");
  }
}

export class RegistryFull extends TalkError {
  /** In seconds: by then all users have been checked. */
  readonly retryAfter = 180;

  constructor() {
    super("registry-full", "The registry is full; try again when some have left.");
  }
}

/** Asked too soon whether a user is reached, or while too many others ask. */
export class AskedTooSoon extends TalkError {
  /** @param retryAfter in seconds */
  constructor(readonly retryAfter: number) {
    super("asked-too-soon", `This was asked a moment ago; ask again in ${retryAfter} s.`);
  }
}

/** More new users from one source than a registry takes. */
export class TooManyUsers extends TalkError {
  /** @param retryAfter in seconds */
  constructor(readonly retryAfter: number) {
    super(
      "too-many-users",
      `Too many users were registered from your address; try again in ${retryAfter} s.`,
    );
  }
}

/** More event streams than a registry serves, or it is about to end. */
export class StreamsFull extends TalkError {
  /** @param retryAfter in seconds: another registry, or the next one, may be there in one */
  constructor(readonly retryAfter = 60) {
    super("streams-full", "The registry serves no more streams now; ask for GET /v1/users meanwhile.");
  }
}

/** More event streams than one source may have. */
export class TooManyStreams extends TalkError {
  /** In seconds. */
  readonly retryAfter = 60;

  constructor() {
    super(
      "too-many-streams",
      "Your address has too many streams open; close some, or ask for GET /v1/users.",
    );
  }
}

export class TooLarge extends TalkError {
  constructor(what: string, limit: number) {
    super("too-large", `${what} is too large; send at most ${limit} bytes.`);
  }
}

/** More messages than a client takes, from one source or in all. */
export class TooFast extends TalkError {
  /** In seconds. */
  readonly retryAfter: number;

  /** @param ms how long the source has to wait */
  constructor(ms: number) {
    const seconds = Math.ceil(ms / 1000);
    super("too-fast", `Too many messages come at once; wait ${seconds} s.`);
    this.retryAfter = seconds;
  }
}

export class NotJson extends TalkError {
  constructor() {
    super("not-json", "Send JSON with the header Content-Type: application/json.");
  }
}

/** A body that is compressed, which nobody who takes 64 KiB needs. */
export class EncodedBody extends TalkError {
  constructor() {
    super("encoded-body", "Send the body as it is, without a Content-Encoding.");
  }
}

export class UpgradeRequired extends TalkError {
  constructor() {
    super("upgrade-required", "This path takes WebSocket connections only.");
  }
}

/** The store cannot be opened, or does not answer now. */
export class StoreUnavailable extends TalkError {
  /** @param reason for the operator alone, whom it may tell more than a client. @default the sentence */
  constructor(
    sentence: string,
    readonly reason = sentence,
  ) {
    super("store-unavailable", sentence);
  }
}

/** A port or host on which this machine cannot listen. */
export class CannotListen extends TalkError {
  constructor(
    readonly reason: "in-use" | "not-allowed" | "no-such-address",
    host: string,
    port: number,
  ) {
    const sentences = {
      "in-use": `port ${port} is in use; choose another with --port`,
      "not-allowed": `port ${port} needs more rights than you have; choose one above 1023 with --port`,
      "no-such-address": `${host} is not an address of this machine; choose one with --host`,
    };
    super("cannot-listen", sentences[reason]);
  }

  /** The error of a failed bind as one of ours; anything else as it is. */
  static from(error: unknown, host: string, port: number): unknown {
    switch (errorCode(error)) {
      case "EADDRINUSE":
        return new CannotListen("in-use", host, port);
      case "EACCES":
      case "EPERM":
        return new CannotListen("not-allowed", host, port);
      case "EADDRNOTAVAIL":
      case "EINVAL":
      case "ENOENT":
      case "ENOTFOUND":
      // The name server does not answer: Bun's listen says the first, its resolver the second.
      case "EAGAIN":
      case "EAI_AGAIN":
        return new CannotListen("no-such-address", host, port);
      default:
        return error;
    }
  }
}

/** The registry did not answer. */
export class RegistryUnreachable extends TalkError {
  constructor(
    readonly url: string,
    reason: string,
  ) {
    super("registry-unreachable", `no registry at ${url} (${reason})`);
  }
}

/** Something answers where the registry should be, and not as a registry does. */
export class NoRegistry extends TalkError {
  constructor(url: string, why: string) {
    super("no-registry", `${url} is no Talk registry (${why}); say where one is with --registry`);
  }
}

/** The registry answered, and the answer was no. */
export class RegistryRefused extends TalkError {
  /** @param waitSeconds how long it wants to be left alone, if it says so */
  constructor(
    readonly status: number,
    sentence: string,
    readonly waitSeconds?: number,
  ) {
    const wait = waitSeconds === undefined ? "" : `; try again in ${waitSeconds} s`;
    super("registry-refused", sentence || `the registry answered ${status}${wait}`);
  }
}

/** The system's code of an error (`ECONNREFUSED`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? undefined : errorCode(error.cause);
}
