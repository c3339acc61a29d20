/** HTTP requests for an API, valid by its OpenAPI document and not. */
import { isRecord } from "../../src/core/schemas.ts";
import { below, mutate, pick, type Random } from "./chance.ts";
import { fromSchema, hostile, NAMES, spoil } from "./values.ts";

export interface FuzzRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

interface Operation {
  method: string;
  path: string;
  schema: unknown;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const TYPES = [
  "text/plain",
  "application/json; charset=utf-8",
  "",
  "application/jsonp",
  "multipart/form-data",
];
const HEADERS: [string, string][] = [
  ["authorization", "Bearer xxx"],
  ["authorization", "Basic Ym9iOmJvYg=="],
  ["authorization", `Bearer ${"x".repeat(5000)}`],
  ["origin", "http://evil.example"],
  ["origin", "null"],
  ["if-none-match", '*, W/"x", "y"'],
  ["expect", "100-continue"],
  ["content-encoding", "gzip"],
  ["transfer-encoding", "chunked"],
  ["upgrade", "websocket"],
  ["x-forwarded-for", "10.0.0.1"],
  ["cookie", "a=b; ".repeat(300)],
  ["accept", "\x7f"],
];

/** Generates requests: half valid, half with something wrong in the path, headers or body. */
export function createRequests(document: unknown): (random: Random) => FuzzRequest {
  const operations = readOperations(document);

  return (random) => {
    const { method, path, schema } = pick(random, operations);
    const wrong = random() < 0.5;
    const described = schema === undefined ? undefined : fromSchema(random, schema, document);
    const value = wrong && random() < 0.6 ? spoil(random, described) : described;
    let body = value === undefined ? undefined : Buffer.from(JSON.stringify(value) ?? "");
    if (body && wrong && random() < 0.3) body = Buffer.from(mutate(random, body));
    const type = wrong && random() < 0.15 ? pick(random, TYPES) : "application/json";
    const headers: Record<string, string> = body ? { "content-type": type } : {};
    if (wrong && random() < 0.3) headers[pick(random, HEADERS)[0]] = pick(random, HEADERS)[1];
    return {
      method: wrong && random() < 0.15 ? pick(random, METHODS) : method,
      path:
        path.replace(/\{\w+\}/, () => segment(random, wrong)) +
        (wrong && random() < 0.1 ? oddity(random) : ""),
      headers,
      body,
    };
  };
}

/** A request as bytes, mutated and perhaps truncated. */
export function rawBytes(random: Random, { method, path, headers, body }: FuzzRequest): Uint8Array {
  const length = body ? [`Content-Length: ${random() < 0.1 ? below(random, 100_000) : body.length}`] : [];
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `${method} ${path} HTTP/1.${random() < 0.95 ? 1 : 0}`,
    "Host: localhost",
    ...fields,
    ...length,
    "",
    "",
  ];
  return mutate(random, Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), body ?? new Uint8Array()]));
}

function segment(random: Random, wrong: boolean): string {
  if (!wrong || random() < 0.5) return encodeURIComponent(pick(random, NAMES));
  return pick(random, [
    "%00",
    "%zz",
    "%F0%9F",
    "%2F",
    "..",
    ".",
    "",
    "a%20b",
    "x".repeat(5000),
    "a;b",
    "a:b",
  ]);
}

function oddity(random: Random): string {
  const text = String(hostile(random)).slice(0, 200).toWellFormed();
  return pick(random, ["/", "//", "?", "?a=b&a[]=c", "#x", "/x", `?${encodeURIComponent(text)}`]);
}

function readOperations(document: unknown): Operation[] {
  const paths = isRecord(document) && isRecord(document.paths) ? document.paths : {};
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(isRecord(methods) ? methods : {}).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      schema: bodySchema(operation),
    })),
  );
}

function bodySchema(operation: unknown): unknown {
  let value = operation;
  for (const key of ["requestBody", "content", "application/json", "schema"])
    value = isRecord(value) ? value[key] : undefined;
  return value;
}
