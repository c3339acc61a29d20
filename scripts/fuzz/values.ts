/** Values that match a JSON Schema, and hostile ones. */
import { isRecord } from "../../src/core/schemas.ts";
import { below, pick, type Random } from "./chance.ts";

/** User names for the fuzzing; few, so that the list stays short. */
export const NAMES = ["bob", "__proto__", "constructor", "then", "10", "...", "a.b_c-D", "x".repeat(64)];

/** A value that matches a schema (a part of an OpenAPI document), from its examples, limits and properties. */
export function fromSchema(random: Random, schema: unknown, document: unknown): unknown {
  if (!isRecord(schema)) return null;
  if (typeof schema.$ref === "string") return fromSchema(random, resolve(schema.$ref, document), document);
  const { properties, anyOf, enum: words, examples, minimum, maximum } = schema;
  if (isRecord(properties)) {
    const entries = Object.entries(properties).map(([key, part]) => [
      key,
      fromSchema(random, part, document),
    ]);
    return Object.fromEntries(entries);
  }
  if (Array.isArray(words)) return pick(random, words);
  if (Array.isArray(anyOf) && random() < 0.7)
    return pick(random, ["127.0.0.1", "::1", "localhost", "db", "0.0.0.0"]);
  if (typeof minimum === "number" && typeof maximum === "number")
    return pick(random, [minimum, maximum, 8080, minimum + below(random, maximum - minimum + 1)]);
  if (typeof schema.pattern === "string") return pick(random, NAMES);
  return Array.isArray(examples) ? pick(random, examples) : "";
}

/** A value with one part changed. */
export function spoil(random: Random, value: unknown): unknown {
  if (!isRecord(value) || random() < 0.1) return hostile(random);
  const keys = Object.keys(value);
  const key = keys.length > 0 ? pick(random, keys) : "x";
  switch (below(random, 5)) {
    case 0:
      return Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
    case 1:
      return { ...value, [String(hostile(random)).slice(0, 100)]: hostile(random) };
    case 2:
      return { ...value, [key]: spoil(random, value[key]) };
    default:
      return { ...value, [key]: hostile(random) };
  }
}

/** A value an attacker might send. */
export function hostile(random: Random): unknown {
  return pick(random, [
    ...[null, true, 0, -1, 1.5, 1e308, -0, Number.MAX_SAFE_INTEGER, "", " ", [], {}, [[]], { a: { b: {} } }],
    ...[
      "\0",
      "\n",
      "\u202e",
      "\ud800",
      "😀".repeat(20),
      "\x1b[2J",
      "__proto__",
      "../../etc",
      "%2e%2e",
      "'; DROP TABLE",
    ],
    ...[
      "127.1",
      "0x7f000001",
      "169.254.169.254",
      "::ffff:1.2.3.4",
      "[::1]",
      "1::2::3",
      "a".repeat(300),
      "80",
      "65536",
    ],
    Array.from({ length: below(random, 50) }, () => 1),
    "x".repeat(below(random, 70_000)),
    nested(below(random, 3000)),
  ]);
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function resolve(ref: string, document: unknown): unknown {
  const at = (value: unknown, key: string) => (isRecord(value) ? value[key] : undefined);
  return ref.replace(/^#\//, "").split("/").reduce(at, document);
}
