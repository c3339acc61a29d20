/** The options of the client, the good and the bad. */
import { describe, expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { addressOf } from "../helpers/chat.ts";
import { listed, start, startClient, startRegistry } from "../helpers/program.ts";

const HOST = "127.0.0.1";

describe("the options", () => {
  test("--name is by default the login name, and -2 behind it if that is taken", async () => {
    const registry = await startRegistry();
    for (const name of ["ann.b-c_1", "ann.b-c_1-2"]) {
      const client = start("src/client/main.ts", ["--port", "0", "--registry", registry.url], {
        USER: "ann.b-c_1",
      });
      await client.sees(new RegExp(`^you are ${name} at`));
    }
  });

  test("a login name that is no legal name is made one", async () => {
    const registry = await startRegistry();
    const client = start("src/client/main.ts", ["--port", "0", "--registry", registry.url], {
      USER: "DOM\\ann é",
    });
    await client.sees(/^you are DOM-ann-- at/);
  });

  test("without a variable that tells it, the login name is the system's", async () => {
    const registry = await startRegistry();
    const unset = { USER: "", LOGNAME: "", USERNAME: "" };
    const client = start("src/client/main.ts", ["--port", "0", "--registry", registry.url], unset);
    await client.sees(new RegExp(`^you are ${(await Bun.$`id -un`.text()).trim()} at`));
  });

  test("one's own name, left by a crash at the same address, is taken back", async () => {
    const registry = await startRegistry();
    const first = await startClient("alice", registry);
    const { port } = await addressOf(registry, "alice");
    first.kill("SIGKILL");
    await first.exited;
    const args = ["--name", "alice", "--port", String(port), "--registry", registry.url];
    const second = start("src/client/main.ts", args);
    await second.sees(`you are alice at http://${HOST}:${port}; :help lists the commands`);
  });

  test.each([
    ["HTTP", 8080],
    ["WEBSOCKET", 8082],
    ["UDP", 3000],
  ])("on %s the default port is %d, or the next free one", async (protocol, port) => {
    const registry = await startRegistry();
    const wanted = /^you are alice at \w+:\/\/127\.0\.0\.1:(\d+)/;
    const args = ["--protocol", protocol, "--registry", registry.url, "--name"];
    const first = start("src/client/main.ts", [...args, "alice"]);
    const taken = Number(wanted.exec(await first.sees(wanted))?.[1]);
    expect(taken).toBeGreaterThanOrEqual(port);
    const second = start("src/client/main.ts", [...args, "bob"]);
    const line = await second.sees(/^you are bob/);
    expect(line).toContain(`; port ${port} is in use, so you listen on `);
  });

  test.each([
    [["--public-url", "http://chat.example"], { protocol: "HTTP", host: "chat.example", port: 80 }],
    [["--public-url", "ws://chat.example:81/"], { protocol: "WEBSOCKET", host: "chat.example", port: 81 }],
    [["--public-url", "udp://[2001:db8::1]:3000"], { protocol: "UDP", host: "2001:db8::1", port: 3000 }],
    [["--public-url", "udp://h:3000", "--protocol", "udp"], { protocol: "UDP", host: "h", port: 3000 }],
  ])("%j is registered as %j", async (args, registered) => {
    const registry = await startRegistry();
    await startClient("alice", registry, ...args);
    expect(await listed(registry)).toEqual({ alice: registered });
  });

  test.each([
    ["0.0.0.0", HOST],
    ["::", HOST],
    ["0.0.0.0", "::1"],
    ["::", "::1"],
  ])(
    "--host %s listens everywhere, and registers what a registry at %s reaches",
    async (host, registryHost) => {
      const registry = await startRegistry("--host", registryHost);
      const alice = await startClient("alice", registry, "--host", host);
      const { host: registered } = await addressOf(registry, "alice");
      expect(registered).toBe(registryHost);
      await startClient("bob", registry).then((bob) => bob.type(":user alice", "hello"));
      await alice.sees("bob: hello");
    },
  );

  test("--registry may have a path in front and a slash behind", async () => {
    const registry = await startRegistry();
    const proxy = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (!pathname.startsWith("/talk/v1/")) return new Response("no", { status: 404 });
        return fetch(new Request(registry.url + pathname.slice(5), request));
      },
    });
    afterwards(() => proxy.stop(true));
    await startClient("alice", { url: `http://${HOST}:${proxy.port}/talk/` });
    expect(Object.keys(await listed(registry))).toEqual(["alice"]);
  });

  test.each([
    [["--prot", "UDP"], "error: unknown option --prot; did you mean --protocol?"],
    [["--nmae", "x"], "error: unknown option --nmae; did you mean --name?"],
    [["--zzzzzzz"], "error: unknown option --zzzzzzz; see --help"],
    [["hello"], 'error: unexpected "hello"; options start with --, see --help'],
    [["--name"], "error: --name needs a value; see --help"],
    [
      ["--name", "a b"],
      'error: --name must be 1 to 64 of the characters a-z, A-Z, 0-9, "-", "_" and ".", and not "." or ".."',
    ],
    [["--port", "80x"], "error: --port must be a whole number from 0 to 65535"],
    [["--port", "65536"], "error: --port must be a whole number from 0 to 65535"],
    [["--protocol", "tcp"], "error: --protocol must be HTTP, WEBSOCKET or UDP"],
    [
      ["--host", "a b"],
      "error: --host must be an IPv4 address, an IPv6 address without brackets or zone, or a host name",
    ],
    [
      ["--registry", "ftp://localhost"],
      "error: --registry must be a URL such as http://127.0.0.1:8088, or a host as in db or db:9000",
    ],
    [
      ["--public-url", "ws://h", "--protocol", "UDP"],
      "error: --public-url says WEBSOCKET, --protocol says UDP; leave --protocol out",
    ],
    [
      ["--public-url", "http://h/path"],
      "error: --public-url is not valid: it must look like http://host[:port], ws://host[:port] or udp://host:port",
    ],
    [
      ["--public-url", "udp://h"],
      "error: --public-url is not valid: it must look like http://host[:port], ws://host[:port] or udp://host:port",
    ],
    [
      ["--public-url", "ftp://h:21"],
      "error: --public-url is not valid: it must look like http://host[:port], ws://host[:port] or udp://host:port",
    ],
    [
      ["--public-url", "http://1.2.3"],
      'error: --public-url is not valid: "host" must be an IPv4 address, an IPv6 address without brackets or zone, or a host name.',
    ],
    [
      ["--public-url", "http://h:65536"],
      'error: --public-url is not valid: "port" must be a whole number from 1 to 65535.',
    ],
  ])("%j is an error", async (args, error) => {
    const client = start("src/client/main.ts", args);
    expect(await client.exited).toBe(2);
    expect(client.lines).toEqual([error]);
  });

  test("--help names every option", async () => {
    const client = start("src/client/main.ts", ["--help"]);
    expect(await client.exited).toBe(0);
    for (const option of ["name", "registry", "protocol", "host", "port", "public-url"]) {
      expect(client.lines.join("\n")).toContain(`--${option}=`);
    }
  });
});
