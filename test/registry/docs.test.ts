import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { validate } from "@apidevtools/swagger-parser";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { isRecord } from "../../src/core/schemas.ts";
import { createApp } from "../../src/registry/http/app.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { chromium, openPage } from "../helpers/browser.ts";
import { freePort } from "../helpers/port.ts";
import { listen, openTestStore, temporaryFolder } from "../helpers/registry.ts";

async function app() {
  return createApp({ store: await openTestStore("memory:") });
}

async function document(): Promise<string> {
  return (await (await app()).handle(new Request("http://localhost/swagger/json"))).text();
}

/** Every object in a document, with the path to it. */
function* objects(value: unknown, path = "#"): Generator<[string, Record<string, unknown>]> {
  if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* objects(item, `${path}/${i}`);
  if (!isRecord(value)) return;
  yield [path, value];
  for (const [key, item] of Object.entries(value)) yield* objects(item, `${path}/${key}`);
}

describe("the OpenAPI document", () => {
  test("is valid for swagger-parser", async () => {
    const parsed = await validate(JSON.parse(await document()));
    expect(Object.keys(parsed.paths ?? {}).toSorted()).toEqual([
      "/",
      "/metrics",
      "/v1/events",
      "/v1/health",
      "/v1/users",
      "/v1/users/{user}",
      "/v1/users/{user}/reach",
    ]);
  });

  test("passes redocly without findings", async () => {
    // Three operations refuse nothing: health, the list, and DELETE.
    const config = await createConfig({
      extends: ["recommended-strict"],
      rules: { "operation-4xx-response": "off" },
    });
    const findings = await lintFromString({ source: await document(), config });
    expect(findings.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
      [],
    );
  });

  test("describes every operation, with an example for each body and field", async () => {
    const parsed = JSON.parse(await document());
    const operations = Object.values(parsed.paths).flatMap((path) =>
      Object.values(isRecord(path) ? path : {}),
    );
    expect(operations).toHaveLength(10);
    for (const operation of operations) {
      expect(operation).toMatchObject({ summary: expect.any(String), description: expect.any(String) });
    }
    for (const [path, { description, content }] of objects(parsed.paths)) {
      if (/\/responses\/\d+$/.test(path)) expect([path, description]).toEqual([path, expect.any(String)]);
      if (!isRecord(content)) continue;
      for (const [, media] of Object.entries(content)) {
        const { example, schema } = isRecord(media) ? media : {};
        const examples = isRecord(schema) && schema.examples;
        expect([path, example ?? examples]).toEqual([path, expect.anything()]);
      }
    }
    const fields = [...objects(parsed)].filter(([path]) => /\/properties\/\w+$/.test(path));
    expect(fields.length).toBeGreaterThan(10);
    for (const [path, field] of fields) {
      if ("$ref" in field) continue;
      const composed = field.type === "object";
      expect([path, field.description]).toEqual([path, expect.any(String)]);
      if (!composed) expect([path, field.examples]).toEqual([path, expect.any(Array)]);
    }
  });
});

describe("what generators need", () => {
  test("bodies and responses are named types, each defined once", async () => {
    const parsed = JSON.parse(await document());
    for (const [path, { content }] of objects(parsed.paths)) {
      // A stream, a page and metrics are text of forms of their own.
      if (!isRecord(content) || ["text/event-stream", "text/plain"].some((type) => type in content)) continue;
      expect([path, content["application/json"]]).toEqual([
        path,
        expect.objectContaining({ schema: { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) } }),
      ]);
    }
    expect([...objects(parsed)].filter(([, value]) => "anyOf" in value || "oneOf" in value)).toEqual([]);
  });

  test("a host is one string, and a port is optional in requests but always in responses", async () => {
    const { Address, NewAddress } = JSON.parse(await document()).components.schemas;
    for (const { properties } of [Address, NewAddress]) {
      expect(properties.host.type).toBe("string");
      const pattern = new RegExp(properties.host.pattern);
      for (const host of ["10.0.0.5", "fd00::5", "::ffff:10.0.0.5", "talk_1.example", "db"]) {
        expect(pattern.test(host)).toBe(true);
      }
      expect(pattern.test("a b")).toBe(false);
    }
    expect(Address.required).toEqual(["protocol", "host", "port"]);
    expect(NewAddress.required).toEqual(["protocol", "host"]);
  });
});

describe("Swagger UI", () => {
  test("has a content security policy that allows only its own origin", async () => {
    const page = await (await app()).handle(new Request("http://localhost/swagger"));
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toStartWith("default-src 'self'");
    expect(await page.text()).not.toMatch(/https?:\/\//);
  });

  // Skipped where there is no Chromium: apt-get install chromium.
  test.skipIf(!chromium)(
    "shows all operations and tries them out, contacting only its own host",
    async () => {
      const base = listen(await app());
      const { view, requests } = await openPage();
      await view.navigate(`${base}/swagger`);
      await view.scrollTo(".opblock-put");
      expect(await view.evaluate("document.querySelectorAll('.opblock').length")).toBe(10);

      await view.click("#operations-users-putUser .opblock-summary-control");
      await view.click("#operations-users-putUser .try-out__btn");
      await view.click("#operations-users-putUser .execute");
      await view.scrollTo("#operations-users-putUser .live-responses-table");
      expect(
        await view.evaluate(
          "document.querySelector('.live-responses-table tbody .response-col_status').innerText",
        ),
      ).toBe("200");
      expect(await (await fetch(`${base}/v1/users/`)).json()).toEqual({
        bob: { protocol: "UDP", host: "10.0.0.5", port: 3000 },
      });

      const hosts = requests.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).origin);
      expect(new Set(hosts)).toEqual(new Set([base]));
      view.close();
    },
  );
});

// Debian puts it where only root looks.
const nginx = Bun.which("nginx", { PATH: `${process.env.PATH}:/usr/sbin` });

/** nginx in front of a registry, at a path prefix; resolves to the base URL with it. */
async function behindNginx(registry: string): Promise<string> {
  if (!nginx) throw new Error("there is no nginx on this machine");
  const folder = temporaryFolder();
  const port = freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  await Bun.write(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/errors;
    events {}
    http { access_log off; ${temporary.join(" ")}
      server { listen 127.0.0.1:${port};
        location /talk/ { proxy_pass ${registry}/; proxy_set_header Host $http_host; } } }`,
  );
  const server = Bun.spawn([nginx, "-p", folder, "-e", `${folder}/errors`, "-c", `${folder}/nginx.conf`], {
    stderr: "ignore",
  });
  afterwards(() => {
    server.kill();
    return server.exited;
  });
  const base = `http://127.0.0.1:${port}/talk`;
  while (!(await fetch(`${base}/v1/health`).catch(() => undefined))?.ok) {
    if (server.exitCode !== null) throw new Error(await Bun.file(join(folder, "errors")).text());
  }
  return base;
}

// Skipped where there is no Chromium or no nginx: apt-get install chromium nginx-light.
describe.skipIf(!chromium || !nginx)("behind nginx at a path prefix, Swagger UI", () => {
  test.each(["/swagger", "/swagger/"])(
    "shows all operations and tries them out, asked for %s",
    async (path) => {
      const base = await behindNginx(listen(await app()));
      const { view, requests } = await openPage();
      await view.navigate(`${base}${path}`);
      await view.scrollTo(".opblock-put");
      await view.click("#operations-users-putUser .opblock-summary-control");
      await view.click("#operations-users-putUser .try-out__btn");
      await view.click("#operations-users-putUser .execute");
      await view.scrollTo("#operations-users-putUser .live-responses-table");
      expect(await (await fetch(`${base}/v1/users/`)).json()).toEqual({
        bob: { protocol: "UDP", host: "10.0.0.5", port: 3000 },
      });
      const asked = requests.filter((url) => !url.startsWith("data:"));
      expect(asked).toContain(`${base}/v1/users/bob`);
      expect(asked.filter((url) => !url.startsWith(`${base}/`))).toEqual([]);
      view.close();
    },
  );
});

if (!nginx) process.stderr.write("skipped: Swagger UI behind a proxy, because no nginx is installed\n");
if (!chromium) process.stderr.write("skipped: Swagger UI in a browser, because no Chromium is installed\n");
