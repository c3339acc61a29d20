import { errorCode, TalkError } from "./errors.ts";
import { networkAddresses } from "./own-addresses.ts";

/** Most addresses that are named; a host of containers may have hundreds. */
const MAX_ADDRESSES = 5;

/** A port or host on which this machine cannot listen. */
export class CannotListen extends TalkError {
  constructor(
    readonly reason: "in-use" | "not-allowed" | "no-such-address",
    host: string,
    port: number,
  ) {
    const sentences = {
      "in-use": `port ${port} is in use; choose another with --port (0 picks a free one)`,
      "not-allowed": `port ${port} needs more rights than you have; choose one above 1023 with --port`,
      "no-such-address": `${host} is not an address of this machine; choose one with --host: ${someAddresses()}`,
    };
    super("cannot-listen", sentences[reason]);
  }

  /** Translates the error of a failed bind; returns any other error unchanged. */
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
      // The name server does not respond: Bun's listen reports the first code, its resolver the second.
      case "EAGAIN":
      case "EAI_AGAIN":
        return new CannotListen("no-such-address", host, port);
      default:
        return error;
    }
  }
}

function someAddresses(): string {
  const addresses = ["127.0.0.1", ...networkAddresses()];
  const more = addresses.length > MAX_ADDRESSES ? ", …" : "";
  return `${addresses.slice(0, MAX_ADDRESSES).join(", ")}${more}`;
}
