import { ask, silentAddress } from "../shared/ask.ts";
import { progress } from "../shared/progress.ts";

/** Users written to, so that a list holds more than the last write. */
const USERS = 50;

/**
 * Writes through one registry, then at once reads through each of the others, also conditionally with its last ETag: no
 * answer may be older than the write.
 */
export async function freshness(urls: string[], times: number, random: () => number): Promise<string[]> {
  const faults: string[] = [];
  const etags = new Map<string, string>();
  const present = new Set<string>();
  for (let i = 0; i < times; i++) {
    const user = `fresh-${i % USERS}`;
    // A different port than the user's last, so that the list changes.
    const port = 1 + (i % 65_000);
    const writer = Math.floor(random() * urls.length);
    // Removing a missing user would change nothing.
    const removes = random() < 0.2 && present.delete(user);
    if (!removes) present.add(user);
    const url = urls[writer] ?? "";
    if (removes) await ask(url, "DELETE", `/v1/users/${user}`);
    const written = removes
      ? undefined
      : await ask(url, "PUT", `/v1/users/${user}`, { body: silentAddress(port) });
    if (written && written.status !== 200) faults.push(`write ${i} was answered ${written.status}`);
    await Promise.all(
      urls.map(async (reader, n) => {
        if (n === writer) return;
        const [plain, conditional, one] = await Promise.all([
          ask(reader, "GET", "/v1/users"),
          ask(reader, "GET", "/v1/users", { etag: etags.get(reader) }),
          ask(reader, "GET", `/v1/users/${user}`),
        ]);
        etags.set(reader, plain.etag);
        const expected = removes ? undefined : port;
        const found = [portOf(plain.json[user]), portOf(conditional.json[user]), portOf(one.json)];
        if (conditional.status !== 200 || found.some((port) => port !== expected)) {
          faults.push(`write ${i}: ${reader} shows ${found}, expected ${expected} (${conditional.status})`);
        }
      }),
    );
    progress(i + 1, times, `writes, ${faults.length} stale`);
  }
  return faults;
}

function portOf(address: unknown): unknown {
  return address instanceof Object && "port" in address ? address.port : undefined;
}
