import type { Address } from "../../../src/core/schemas.ts";

export interface Answer {
  status: number;
  etag: string;
  /** The body's JSON, if it is an object. */
  json: Record<string, unknown>;
  ms: number;
}

/** Sends one request to a registry and times it. */
export async function ask(
  url: string,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  { body, etag }: { body?: unknown; etag?: string | undefined } = {},
): Promise<Answer> {
  const began = performance.now();
  const headers = new Headers();
  if (body !== undefined) headers.set("content-type", "application/json");
  if (etag) headers.set("if-none-match", etag);
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json: unknown = text === "" ? {} : JSON.parse(text);
  return {
    status: answer.status,
    etag: answer.headers.get("etag") ?? "",
    json: Object.fromEntries(Object.entries(json ?? {})),
    ms: performance.now() - began,
  };
}

/** The address of a peer that never answers; these scripts' registries do not check it. */
export function silentAddress(port: number): Address {
  return { protocol: "UDP", host: "127.0.0.1", port };
}

/** The flags of a registry that removes nobody while a script runs. */
export const PATIENT = ["--check-interval", "86400", "--check-window", "86400"];
