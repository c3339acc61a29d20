/** Sends one HTTP request and keeps the exchange as text for the report. */
import { errorCode } from "../../src/core/errors.ts";
import { readAtMost } from "../../src/core/http.ts";
import { request } from "../../src/core/request.ts";
import { Mismatch } from "./row.ts";

/** How long a response may take, in milliseconds. */
const ANSWER_MS = 5000;

/** Most bytes read of a response, enough for a list of many thousand users. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Most characters of a body shown in the report. */
const SHOWN = 200;

export interface Answer {
  status: number;
  /** The body as JSON, or undefined. */
  json: unknown;
  /** Fails the row. */
  instead(expected: string): never;
}

/**
 * @param body sent as application/json: a string unchanged, anything else as JSON
 * @param patience how long a response may take, in milliseconds, 5 s at most
 * @throws Mismatch if there is no response
 */
export async function ask(
  method: string,
  url: string,
  body?: unknown,
  patience = ANSWER_MS,
): Promise<Answer> {
  const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  const sent = [method, url, text?.slice(0, SHOWN)].filter((part) => part !== undefined).join(" ");
  try {
    const response = await request(url, {
      method,
      signal: AbortSignal.timeout(Math.ceil(Math.min(patience, ANSWER_MS))),
      ...(text !== undefined && { body: text, headers: { "content-type": "application/json" } }),
    });
    const received = new TextDecoder().decode(await readAtMost(response.body, MAX_BYTES));
    return {
      status: response.status,
      json: parsed(received),
      instead(expected) {
        throw new Mismatch(expected, sent, `${response.status} ${received.slice(0, SHOWN)}`.trim());
      },
    };
  } catch (error) {
    if (error instanceof Mismatch) throw error;
    throw new Mismatch("an answer", sent, `none: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  return errorCode(error) ?? String(error);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
