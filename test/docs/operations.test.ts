/** The configurations of docs/operations.md, with the servers that they are for. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { join as joinTalk } from "talk/client";
import { afterwards } from "../helpers/afterwards.ts";
import { blockTestedAs, openShell } from "../helpers/documents.ts";
import { freePort } from "../helpers/port.ts";
import { listed, startRegistry } from "../helpers/program.ts";
import { noRedis, startRedis } from "../helpers/redis.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
const nginx = Bun.which("nginx", { PATH });
const caddy = Bun.which("caddy", { PATH });
const analyze = Bun.which("systemd-analyze", { PATH });
const openssl = Bun.which("openssl", { PATH });

for (const [program, name, what] of [
  [nginx, "nginx", "the configurations of nginx"],
  [caddy, "caddy", "the configuration of Caddy"],
  [analyze, "systemd-analyze", "the systemd unit"],
  [openssl, "openssl", "TLS in front of a registry"],
  [noRedis ? undefined : "redis", "redis-server", "the configuration of Redis"],
]) {
  if (!program) process.stderr.write(`skipped: ${what}, because there is no ${name} on this machine\n`);
}

const put = (url: string, name: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/users/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ protocol: "UDP", host: "127.0.0.1", port: 3000 }),
    tls: { rejectUnauthorized: false },
  });

/** Waits until a server answers. */
async function answers(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url, { tls: { rejectUnauthorized: false } });
      return;
    } catch {
      await Bun.sleep(20);
    }
  }
}

function serve(command: string[]): void {
  const child = Bun.spawn(command, { env: { ...process.env, HOME: temporaryFolder() }, stderr: "ignore" });
  afterwards(() => {
    child.kill("SIGTERM");
    return child.exited;
  });
}

/** Runs nginx with a `server` block of ours. */
function serveNginx(block: string): void {
  const folder = temporaryFolder();
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");
  const text = `daemon off; pid ${folder}/pid; events {} http { access_log off;\n${paths}\n${block}}`;
  writeFileSync(join(folder, "nginx.conf"), text);
  serve([nginx ?? "", "-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")]);
}

describe.skipIf(!nginx)("nginx, configured as shown,", () => {
  test.skipIf(!openssl)("puts TLS and a name in front of a registry on loopback", async () => {
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    const names = ["-subj", "/CN=talk.example", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = Bun.spawn(
      [
        openssl ?? "",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
        ...names,
      ],
      { stderr: "ignore" },
    );
    expect(await made.exited).toBe(0);
    const registry = await startRegistry("--public-host", "talk.example");
    const port = freePort();
    const block = (await blockTestedAs("nginx"))
      .replace("443 ssl", `127.0.0.1:${port} ssl`)
      .replace("/etc/ssl/talk.example.crt", cert)
      .replace("/etc/ssl/talk.example.key", key)
      .replace("127.0.0.1:8088", new URL(registry.url).host);
    serveNginx(block);
    const url = `https://127.0.0.1:${port}`;
    await answers(url);

    expect((await put(url, "dave", { host: "talk.example" })).status).toBe(200);
    expect((await put(url, "erin", { host: "evil.example" })).status).toBe(403);
    expect(Object.keys(await listed(registry))).toEqual(["dave"]);

    const bob = await joinTalk({ name: "bob", registry: registry.url, port: 0 });
    afterwards(() => bob.close());
    const send = await openShell(registry.url).start(`talk send --registry ${url} --to bob hello`, {
      NODE_EXTRA_CA_CERTS: cert,
    });
    expect(await new Response(send.stdout).text()).toBe("delivered to bob\n");
  });

  test("spreads requests over registries on one store, and loses none when one is killed", async () => {
    const store = `sqlite:${join(temporaryFolder(), "talk.db")}`;
    const registries = await Promise.all([1, 2, 3].map(() => startRegistry("--store", store)));
    const port = freePort();
    const block = (await blockTestedAs("replicas"))
      .replace("listen 80;", `listen 127.0.0.1:${port};`)
      .replace(/10\.0\.0\.1([123]):8088/g, (_, n) => new URL(registries[n - 1]?.url ?? "").host);
    serveNginx(block);
    const url = `http://127.0.0.1:${port}`;
    await answers(url);

    const statuses = new Set<number>();
    for (let i = 0; i < 30; i++) {
      statuses.add((await put(url, `user${i}`)).status);
      if (i === 10) registries[0]?.kill("SIGKILL");
    }
    expect([...statuses]).toEqual([200]);
    expect(Object.keys(await listed({ url }))).toHaveLength(30);
  });
});

test.skipIf(!caddy)(
  "Caddy, configured as shown, puts a name in front of a registry on loopback",
  async () => {
    const registry = await startRegistry("--public-host", "talk.example");
    const port = freePort();
    const block = (await blockTestedAs("caddy"))
      .replace("talk.example", `http://talk.example:${port}, http://127.0.0.1:${port}`)
      .replace("127.0.0.1:8088", new URL(registry.url).host);
    const file = join(temporaryFolder(), "Caddyfile");
    writeFileSync(file, `{\n  admin off\n}\n${block}`);
    serve([caddy ?? "", "run", "--adapter", "caddyfile", "--config", file]);
    const url = `http://127.0.0.1:${port}`;
    await answers(url);
    expect((await put(url, "dave", { host: "talk.example" })).status).toBe(200);
    expect(Object.keys(await listed({ url }))).toEqual(["dave"]);
  },
);

test.skipIf(!analyze)("systemd accepts the unit without warnings", async () => {
  const file = join(temporaryFolder(), "talk.service");
  writeFileSync(file, (await blockTestedAs("systemd")).replace("/usr/local/bin/talk", process.execPath));
  const verify = Bun.spawn([analyze ?? "", "verify", file], { stdout: "pipe", stderr: "pipe" });
  const said = await new Response(verify.stderr).text();
  expect({ said, exitCode: await verify.exited }).toEqual({ said: "", exitCode: 0 });
});

test.skipIf(noRedis !== undefined)(
  "Redis, configured as shown, allows Talk what it needs and no more, and keeps its data through kill -9",
  async () => {
    const conf = join(temporaryFolder(), "redis.conf");
    writeFileSync(conf, await blockTestedAs("redis"));
    const redis = await startRedis("--include", conf);
    afterwards(() => redis.stop());
    const store = redis.url.replace("redis://", "redis://talk:secret@");
    const registry = await startRegistry("--store", store);
    const post = await fetch(`${registry.url}/v1/users`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer the-secret-of-bob" },
      body: JSON.stringify({ user: "bob", address: { protocol: "UDP", host: "127.0.0.1", port: 3000 } }),
    });
    expect(post.status).toBe(200);
    expect((await put(registry.url, "dave")).status).toBe(200);
    expect((await fetch(`${registry.url}/v1/users/dave`, { method: "DELETE" })).status).toBe(200);

    const stranger = new Bun.RedisClient(store);
    await expect(stranger.send("FLUSHALL", [])).rejects.toThrow("NOPERM");
    await expect(stranger.send("GET", ["other"])).rejects.toThrow("NOPERM");
    stranger.close();

    await redis.restart();
    while ((await fetch(`${registry.url}/v1/users/`)).status === 503) await Bun.sleep(20);
    expect(Object.keys(await listed(registry))).toEqual(["bob"]);
  },
);

test("a backup made as shown while the registry runs restores users and owners", async () => {
  const folder = temporaryFolder();
  const store = ["--store", `sqlite:${join(folder, "talk.db")}`];
  const registry = await startRegistry(...store);
  const shell = openShell(registry.url, folder);
  const owner = { authorization: "Bearer the-secret-of-bob" };
  expect((await put(registry.url, "bob", owner)).status).toBe(200);

  expect(await (await shell.start(await blockTestedAs("backup"))).exited).toBe(0);
  expect((await put(registry.url, "late")).status).toBe(200);
  registry.kill("SIGTERM");
  expect(await registry.exited).toBe(0);
  expect(await (await shell.start(await blockTestedAs("restore"))).exited).toBe(0);

  const again = await startRegistry(...store);
  expect(Object.keys(await listed(again))).toEqual(["bob"]);
  expect((await put(again.url, "bob")).status).toBe(401);
  expect((await put(again.url, "bob", owner)).status).toBe(200);
});
