import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { validate } from "@apidevtools/swagger-parser";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { isRecord } from "../../src/core/schemas.ts";
import { createApp } from "../../src/registry/app.ts";
import { chromium, openPage } from "../helpers/browser.ts";
import { listen, openTestStore } from "../helpers/registry.ts";

// Processes, browsers and peers that hang take longer than Bun's 5 s on a busy machine.
setDefaultTimeout(30_000);

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
    expect(Object.keys(parsed.paths ?? {})).toEqual([
      "/v1/health",
      "/v1/users",
      "/v1/users/{user}",
      "/v1/users/{user}/reach",
    ]);
  });

  test("is without a finding of redocly", async () => {
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
    expect(operations).toHaveLength(7);
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
      const composed = field.type === "object";
      expect([path, field.description]).toEqual([path, expect.any(String)]);
      if (!composed) expect([path, field.examples]).toEqual([path, expect.any(Array)]);
    }
  });
});

describe("Swagger UI", () => {
  test("comes with a policy that lets nothing in from elsewhere", async () => {
    const page = await (await app()).handle(new Request("http://localhost/swagger"));
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toStartWith("default-src 'self'");
    expect(await page.text()).not.toMatch(/https?:\/\//);
  });

  // Skipped where there is no Chromium: apt-get install chromium.
  test.skipIf(!chromium)("shows all operations and tries them out, asking this host alone", async () => {
    const base = listen(await app());
    const { view, requests } = await openPage();
    await view.navigate(`${base}/swagger`);
    await view.scrollTo(".opblock-put");
    expect(await view.evaluate("document.querySelectorAll('.opblock').length")).toBe(7);

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
  });
});

if (!chromium) process.stderr.write("skipped: Swagger UI in a browser, because no Chromium is installed\n");
