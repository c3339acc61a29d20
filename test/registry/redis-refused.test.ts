/** A registry refuses a Redis that it cannot use, at its start and in one line. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openStore } from "../../src/registry/stores/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { freePort } from "../helpers/port.ts";
import { listed, root, start, startRegistry } from "../helpers/program.ts";
import { noRedis, type Redis, startRedis } from "../helpers/redis.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const openssl = Bun.which("openssl");
const skipped = noRedis !== undefined;

/** The user and password of `talkUser`. */
const TALK = "talk:geheim@";

async function redisWith(...options: string[]): Promise<Redis> {
  const redis = await startRedis(...options);
  afterwards(redis.stop);
  return redis;
}

/** Tells a Redis commands, each a line. */
async function tell(redis: Redis, ...commands: string[]): Promise<unknown> {
  let answer: unknown;
  for (const line of commands) {
    const [command = "", ...args] = line.split(" ");
    answer = await redis.tell(command, ...args);
  }
  return answer;
}

/** Every key with its content. */
async function content(redis: Redis): Promise<unknown[]> {
  const keys = await tell(redis, "KEYS *");
  const names = Array.isArray(keys) ? keys.map(String).sort() : [];
  return Promise.all(names.map(async (key) => [key, await tell(redis, `DUMP ${key}`)]));
}

/** The line with which a registry ends that is started on a store. */
async function refusal(url: string, env: Record<string, string> = {}): Promise<string> {
  const registry = start("src/registry/main.ts", ["--port", "0", "--store", url], env);
  expect(await registry.exited).toBe(1);
  expect(registry.lines).toHaveLength(1);
  return registry.lines[0] ?? "";
}

/** The rules that the documentation gives for a user of Redis. */
async function documentedAcl(): Promise<string> {
  const page = await Bun.file(join(root, "docs/operations.md")).text();
  return /^user talk on >secret (.*)$/m.exec(page)?.[1] ?? "";
}

function as(user: string, { url }: Redis): string {
  return url.replace("//", `//${user}`);
}

describe.skipIf(skipped)("a registry refuses, with Redis' own reason,", () => {
  test("a wrong password, no password, and an unknown user", async () => {
    const redis = await redisWith("--requirepass", "geheim");
    expect(await refusal(as(":falsch@", redis))).toMatch(
      /^error: cannot open the store: Redis at 127\.0\.0\.1:\d+ says "WRONGPASS .*"; check the user and password of --store$/,
    );
    expect(await refusal(as("bob:geheim@", redis))).toContain('says "WRONGPASS ');
    expect(await refusal(redis.url)).toContain('says "NOAUTH ');
  });

  test("a missing database", async () => {
    const redis = await redisWith();
    expect(await refusal(redis.url.replace(/0$/, "99"))).toMatch(
      /says "ERR DB index is out of range"; choose another database in --store$/,
    );
  });

  test("a replica, which takes no writes, and one without its primary", async () => {
    const primary = await redisWith();
    const { port } = new URL(primary.url);
    const replica = await redisWith("--replicaof", `127.0.0.1 ${port}`);
    expect(await refusal(replica.url)).toMatch(/says "READONLY .*"; name the primary in --store$/);
    const stale = await redisWith("--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no");
    expect(await refusal(stale.url)).toContain('says "MASTERDOWN ');
  });

  test("one in cluster mode, with slots and without", async () => {
    // By default 10,000 above the other port, where an outgoing connection may have it.
    const redis = await redisWith("--cluster-enabled", "yes", "--cluster-port", String(freePort()));
    expect(await refusal(redis.url)).toMatch(
      /says "CLUSTERDOWN .*"; use a Redis that is not in cluster mode$/,
    );
    expect(await refusal(redis.url.replace(/0$/, "1"))).toContain("not in cluster mode");
    await tell(redis, "CLUSTER ADDSLOTSRANGE 0 16383");
    while (!String(await tell(redis, "CLUSTER INFO")).includes("cluster_state:ok"));
    expect(await refusal(redis.url)).toMatch(/says "CROSSSLOT .*"; use a Redis that is not in cluster mode$/);
  });

  test("a user who may not run scripts, use a key, or use one of the commands, and leaves nothing behind", async () => {
    const redis = await redisWith();
    await tell(redis, "HSET talk:users bob 1", "SET talk:version 1", "SET talk:checker me PX 60000");
    await tell(redis, "ZADD talk:reserved 5 carol");
    const before = await content(redis);
    const acl = await documentedAcl();
    const commands = acl.match(/\+[\w|]+/g) ?? [];
    expect(commands.length).toBeGreaterThan(15);
    for (const denied of ["-eval", "-evalsha", "-hdel", "-zpopmin", "-set", "-hgetall"]) {
      await tell(redis, "ACL DELUSER talk", `ACL SETUSER talk on >geheim ${acl} ${denied}`);
      const failure = await openStore(as(TALK, redis)).then(
        () => "opened",
        (error) => String(error.message),
      );
      expect([denied, failure]).toEqual([
        denied,
        expect.stringMatching(
          /says "(NOPERM|ERR) .*"; grant this user the commands listed in docs\/operations\.md$/,
        ),
      ]);
      expect(failure).not.toMatch(/user_script|[0-9a-f]{40}/);
    }
    for (const keys of [
      "~talk:users",
      "~talk:users ~talk:owners ~talk:reserved ~talk:version",
      "%R~talk:*",
    ]) {
      await tell(redis, "ACL DELUSER talk", `ACL SETUSER talk on >geheim ${acl} resetkeys ${keys}`);
      expect(await refusal(as(TALK, redis))).toMatch(/says "(NOPERM|ERR) .*"; grant this user/);
    }
    expect(await content(redis)).toEqual(before);
  });

  test("keys that hold something else", async () => {
    const redis = await redisWith();
    await tell(redis, "SET talk:users shop");
    expect(await refusal(redis.url)).toContain('says "WRONGTYPE ');
  });

  test("a Redis that is out of memory", async () => {
    const redis = await redisWith("--maxmemory", "1");
    expect(await refusal(redis.url)).toContain('says "OOM ');
  });

  test.skipIf(!openssl)(
    "TLS where there is none, none where there is, and a certificate that nobody vouches for",
    async () => {
      const folder = temporaryFolder();
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
      const made = Bun.spawnSync([
        ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert],
        ...["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
      ]);
      expect(made.exitCode).toBe(0);
      const plain = await redisWith();
      expect(await refusal(plain.url.replace("redis:", "rediss:"))).toMatch(
        /Redis at \S+ does not speak TLS there; use redis:\/\//,
      );
      const tls = await redisWith(
        ...["--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"],
        ...["--tls-port", "0"],
      );
      const { port } = new URL(tls.url);
      await tell(tls, `CONFIG SET port 0 tls-port ${port}`);
      expect(await refusal(tls.url)).toMatch(/Redis at \S+ speaks TLS there; use rediss:\/\//);
      const secure = tls.url.replace("redis:", "rediss:");
      expect(await refusal(secure)).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
      const trusting = start("src/registry/main.ts", ["--port", "0", "--store", secure], {
        NODE_EXTRA_CA_CERTS: cert,
      });
      expect(await trusting.sees(/^registry at/)).toContain("/swagger");
    },
  );

  test("a server that is silent, that closes, and that is not Redis", async () => {
    const socket = { data() {} };
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
    const closing = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { ...socket, open: (peer) => void peer.end() },
    });
    const web = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") });
    afterwards(() => [silent.stop(true), closing.stop(true), web.stop(true)]);
    for (const [{ port }, reason] of [
      [silent, "silent"],
      [closing, "it closes the connection"],
      [web, "another service"],
    ] as const) {
      expect(await refusal(`redis://127.0.0.1:${port}/0`)).toContain(
        `no Redis answers at 127.0.0.1:${port} (${reason})`,
      );
    }
  });
});

describe.skipIf(skipped)("a registry accepts", () => {
  test("a Redis user with only the permissions that the docs list", async () => {
    const redis = await redisWith();
    await tell(redis, `ACL SETUSER talk on >geheim ${await documentedAcl()}`);
    const registry = await startRegistry("--store", as(TALK, redis));
    const address = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    const headers = { "content-type": "application/json", authorization: "Bearer secret" };
    const put = await fetch(`${registry.url}/v1/users/bob`, {
      method: "PUT",
      headers,
      body: JSON.stringify(address),
    });
    expect(put.status).toBe(200);
    expect(await listed(registry)).toEqual({ bob: address });
    const store = await openStore(as(TALK, redis));
    afterwards(store.close);
    const [bob] = Array.from(await store.registrations());
    expect(await store.expire("bob", bob?.id ?? 0)).toBe(true);
    expect(await store.create("bob", { ...address, protocol: "UDP" })).toBe("reserved");
    expect(await store.release("bob")).toBe(true);
  });
});

if (!openssl) process.stderr.write("skipped: Redis over TLS, because there is no openssl on this machine\n");
