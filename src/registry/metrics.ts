/**
 * The registry's metrics, in Prometheus' text format 0.0.4. Written by hand, because prom-client takes 50 ms to load and
 * its process metrics are wrong on Bun.
 */
import manifest from "../../package.json" with { type: "json" };
import { PROTOCOLS } from "../core/protocol.ts";
import type { Protocol, Registration } from "../core/schemas.ts";
import type { Finding } from "./health/types.ts";
import type { LogEvent } from "./log.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Upper bounds of durations, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export interface Metrics {
  /** Counts the responses of an operation; `other` stands for requests without a route. */
  recorder(operation: string): Recorder;
  /** Counts a finished check. */
  checked(protocol: Protocol, finding: Finding): void;
  /** Counts an event if it is a removal. */
  logged(event: LogEvent): void;
  /** Counts a failed write to the store. */
  writeFailed(): void;
  /** The metrics as text. */
  text(now: { users: Iterable<Registration>; streams: number }): string;
}

/** Counts a response. @param seconds until it began */
export type Recorder = (status: number, seconds: number) => void;

/** The responses of an operation. */
interface Responses {
  /** How many, by status. */
  statuses: Map<number, number>;
  /** How many in each bucket of durations, and beyond the last. */
  buckets: number[];
  seconds: number;
}

type Labels = Record<string, string | number>;
type Sample = [labels: Labels, value: number];

export function createMetrics(): Metrics {
  const operations = new Map<string, Responses>();
  const checks = createCounter("protocol", "finding");
  const removals = createCounter("reason");
  let failedWrites = 0;

  return {
    recorder(operation) {
      const responses: Responses = operations.get(operation) ?? {
        statuses: new Map(),
        buckets: [...BUCKETS, 0].fill(0),
        seconds: 0,
      };
      operations.set(operation, responses);
      const { statuses, buckets } = responses;
      return (status, seconds) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        let bucket = 0;
        while (seconds > (BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
        buckets[bucket] = (buckets[bucket] ?? 0) + 1;
        responses.seconds += seconds;
      };
    },
    checked: (protocol, finding) => checks.count(protocol, finding),
    logged(event) {
      if (event.type === "left") removals.count("left");
      if (event.type === "removed") removals.count(event.finding);
    },
    writeFailed() {
      failedWrites++;
    },
    text({ users, streams }) {
      const { user, system } = process.cpuUsage();
      const used = [...operations].filter(([, { statuses }]) => statuses.size > 0);
      return [
        family("talk_users", "gauge", "Users registered now.", usersByProtocol(users)),
        family("talk_streams", "gauge", "Streams of changes open now.", [[{}, streams]]),
        family(
          "talk_http_requests_total",
          "counter",
          "Requests answered, by operation and HTTP status.",
          used.flatMap(([operation, { statuses }]) =>
            [...statuses].map(([status, count]): Sample => [{ operation, status }, count]),
          ),
        ),
        histogram("talk_http_request_duration_seconds", "Time until the response to a request began.", used),
        family("talk_checks_total", "counter", "Finished checks of users, by finding.", checks.samples()),
        family(
          "talk_removals_total",
          "counter",
          "Users removed, by reason: they left, or the finding of a check.",
          removals.samples(),
        ),
        family("talk_store_write_failures_total", "counter", "Failed writes to the store.", [
          [{}, failedWrites],
        ]),
        family("talk_build_info", "gauge", "Always 1; the labels are the running versions.", [
          [{ version: manifest.version, bun: Bun.version }, 1],
        ]),
        family("process_cpu_seconds_total", "counter", "CPU time spent, user and system.", [
          [{}, (user + system) / 1e6],
        ]),
        family("process_resident_memory_bytes", "gauge", "Resident memory.", [
          [{}, process.memoryUsage.rss()],
        ]),
        family("process_start_time_seconds", "gauge", "Start time of the process since the Unix epoch.", [
          [{}, performance.timeOrigin / 1000],
        ]),
      ].join("");
    },
  };
}

/** A counter with one label or two. */
function createCounter(first: string, second = "") {
  const counts = new Map<string, Map<string | number, number>>();
  return {
    count(value: string, other: string | number = "") {
      let row = counts.get(value);
      if (!row) {
        row = new Map();
        counts.set(value, row);
      }
      row.set(other, (row.get(other) ?? 0) + 1);
    },
    samples: (): Sample[] =>
      [...counts].flatMap(([value, row]) =>
        [...row].map(
          ([other, count]): Sample => [{ [first]: value, ...(second !== "" && { [second]: other }) }, count],
        ),
      ),
  };
}

function usersByProtocol(users: Iterable<Registration>): Sample[] {
  const counts = new Map<string, number>(Object.keys(PROTOCOLS).map((protocol) => [protocol, 0]));
  for (const { address } of users) counts.set(address.protocol, (counts.get(address.protocol) ?? 0) + 1);
  return [...counts].map(([protocol, count]) => [{ protocol }, count]);
}

/** A metric family with its help, even if nothing has been counted yet. */
function family(name: string, type: string, help: string, samples: Sample[]): string {
  return head(name, type, help) + samples.map(([labels, value]) => line(name, labels, value)).join("");
}

function histogram(name: string, help: string, operations: [string, Responses][]): string {
  const lines = operations.flatMap(([operation, { buckets, seconds }]) => {
    let count = 0;
    const cumulative = buckets.map((inBucket, i) => {
      count += inBucket;
      return line(`${name}_bucket`, { operation, le: BUCKETS[i] ?? "+Inf" }, count);
    });
    return [
      ...cumulative,
      line(`${name}_sum`, { operation }, seconds),
      line(`${name}_count`, { operation }, count),
    ];
  });
  return head(name, "histogram", help) + lines.join("");
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** Label values never come from outside, so none needs escaping. */
function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}
