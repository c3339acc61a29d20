/** The page at `/`, in a real browser. */
import { describe, expect, test } from "bun:test";
import axe from "axe-core";
import manifest from "../../package.json" with { type: "json" };
import { createApp } from "../../src/registry/http/app.ts";
import { createRegistry } from "../../src/registry/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { chromium, openPage } from "../helpers/browser.ts";
import { freePort } from "../helpers/port.ts";
import { listen, openTestStore } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 } as const;
const THERE = { protocol: "UDP", host: "fd00::7", port: 3000 } as const;
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/** A name and a host that no client can register, should a rule ever fail. */
const EVIL = `<img src=x onerror="document.title='pwned'">`;

async function openRegistry() {
  const store = await openTestStore("memory:");
  await store.put("alice", HERE);
  await store.put("bob", THERE);
  return { store, url: listen(createApp({ store })) };
}

/** A page of the browser that knows what has gone wrong in it. */
async function browse(url: string, { width = 1280, scheme = "light" } = {}) {
  const { view, requests } = await openPage();
  afterwards(() => view.close());
  await view.cdp("Emulation.setDeviceMetricsOverride", {
    width,
    height: 900,
    deviceScaleFactor: 1,
    mobile: width < 500,
  });
  await view.cdp("Emulation.setEmulatedMedia", {
    features: [{ name: "prefers-color-scheme", value: scheme }],
  });
  const complaints: string[] = [];
  await view.cdp("Log.enable");
  view.addEventListener<{ entry: { source: string; level: string; text: string; url?: string } }>(
    "Log.entryAdded",
    ({ data }) => complaints.push(`${data.entry.source} ${data.entry.text} ${data.entry.url ?? ""}`),
  );
  await view.cdp("Runtime.enable");
  view.addEventListener<{ exceptionDetails: { text: string } }>("Runtime.exceptionThrown", ({ data }) =>
    complaints.push(data.exceptionDetails.text),
  );
  await view.navigate(url);

  async function until(condition: string): Promise<void> {
    while (!(await view.evaluate(condition))) await Bun.sleep(20);
  }

  const page = {
    view,
    requests,
    complaints,
    until,
    /** The text of the first element that a selector finds. */
    text: async (selector: string) =>
      String(await view.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`)),
    /** Waits until these names are in the table, which is drawn a frame after a change is logged. */
    lists: (names: string) =>
      until(`[...document.querySelectorAll(".name")].map((c) => c.textContent).join() === "${names}"`),
    shows: (text: string) => until(`document.body?.innerText.includes(${JSON.stringify(text)})`),
    press: async (key: string) => {
      const code = key === "Tab" ? 9 : 13;
      const event = { key, code: key, windowsVirtualKeyCode: code, ...(key === "Enter" && { text: "\r" }) };
      await view.cdp("Input.dispatchKeyEvent", { type: "keyDown", ...event });
      await view.cdp("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    },
    /** What has the focus, by its text or its id. */
    focus: async () =>
      String(await view.evaluate("document.activeElement?.id || document.activeElement?.textContent.trim()")),
  };
  await until("document.querySelector('#status').textContent === 'Live'");
  return page;
}

function put(url: string, user: string, address: object): Promise<Response> {
  return fetch(`${url}/v1/users/${user}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
}

describe("GET /", () => {
  test("is a page for browsers, whose content security policy allows only its own origin", async () => {
    const { url } = await openRegistry();
    const answer = await fetch(url, { headers: { accept: BROWSER } });
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toStartWith("default-src 'self'");
    expect(answer.headers.get("vary")).toBe("accept");
    expect(await answer.text()).not.toMatch(/(?:src|href)="\/|style=|<script>/);
  });

  test.each([
    "application/json",
    "*/*",
    "",
    "text/plain",
    "text/html;q=0",
    "text/html;q=0.5, application/json",
  ])("returns facts about the registry to programs that accept %p", async (accept) => {
    const { url } = await openRegistry();
    const answer = await fetch(url, { headers: { accept } });
    expect(await answer.json()).toEqual({
      name: "talk",
      version: manifest.version,
      users: 2,
      docs: "/swagger",
    });
  });
});

// Skipped where there is no Chromium: apt-get install chromium.
describe.skipIf(!chromium)("the page", () => {
  test("shows who is here, counted by protocol, and follows changes", async () => {
    const { url } = await openRegistry();
    const page = await browse(url);
    await page.shows("2 users here");
    await page.lists("alice,bob");
    expect(await page.text("tbody tr:nth-child(2) .address")).toBe("udp://[fd00::7]:3000");
    expect(await page.text(".counts")).toMatch(/HTTP\s+1\s+WebSocket\s+0\s+UDP\s+1/);
    expect(await page.text("#quiet")).toBe("Nobody has come or gone yet.");

    await put(url, "carol", { ...HERE, protocol: "WEBSOCKET" });
    await page.shows("carol joined");
    await put(url, "bob", HERE);
    await page.shows("bob moved to http://127.0.0.1:8080");
    await fetch(`${url}/v1/users/alice`, { method: "DELETE" });
    await page.shows("alice left");
    await page.until("document.title === 'Talk: 2 users'");
    await page.lists("bob,carol");
    expect(await page.text(".counts")).toMatch(/HTTP\s+1\s+WebSocket\s+1\s+UDP\s+0/);
    expect(page.complaints).toEqual([]);
  });

  test("shows the commands that start a client for this registry, and copies them", async () => {
    const { url } = await openRegistry();
    const page = await browse(url);
    expect(await page.view.evaluate("document.querySelector('#line-client').textContent")).toBe(
      `bun run client --registry ${url}`,
    );
    await page.view.click("[data-copy=line-client]");
    await page.shows("Copied");
  });

  test("says when the stream is lost, and continues when the registry is back", async () => {
    const port = freePort();
    const before = await createRegistry({ store: "memory:" });
    const url = await before.listen({ port });
    await put(url, "alice", HERE);
    const page = await browse(url);
    await page.shows("alice");
    await before.close();
    await page.shows("Reconnecting");
    const after = await createRegistry({ store: "memory:" });
    afterwards(() => after.close());
    await after.listen({ port });
    await put(url, "bob", HERE);
    await page.until("document.querySelector('#status').textContent === 'Live'");
    await page.shows("alice left");
    await page.lists("bob");
  });

  test("reconnects to a registry that refuses the stream for a while", async () => {
    const { url } = await openRegistry();
    let refuses = false;
    const proxy = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (refuses && pathname === "/v1/events") return new Response("no", { status: 502 });
        return fetch(url + pathname, { headers: { accept: request.headers.get("accept") ?? "" } });
      },
    });
    afterwards(() => proxy.stop(true));
    const page = await browse(proxy.url.href);
    refuses = true;
    await page.view.navigate(proxy.url.href);
    await page.shows("Reconnecting");
    refuses = false;
    await page.shows("2 users here");
  });

  test("works behind a path prefix, and includes it in the commands to copy", async () => {
    const { url } = await openRegistry();
    const proxy = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (!pathname.startsWith("/talk/")) return new Response("no", { status: 404 });
        return fetch(url + pathname.slice(5), {
          headers: { accept: request.headers.get("accept") ?? "" },
          signal: request.signal,
        });
      },
    });
    afterwards(() => proxy.stop(true));
    const page = await browse(`${proxy.url.href}talk/`);
    await page.shows("2 users here");
    expect(await page.view.evaluate("document.querySelector('#line-talk').textContent")).toBe(
      `talk client --registry ${proxy.url.href}talk`,
    );
    await page.view.click("nav a");
    await page.until("document.querySelectorAll('.opblock').length > 5");
    expect(page.complaints).toEqual([]);
  });

  test("shows hostile names and hosts as text", async () => {
    const { store, url } = await openRegistry();
    await store.put(EVIL, { ...HERE, host: EVIL });
    await store.put("__proto__", HERE);
    const page = await browse(url);
    await page.shows(EVIL);
    await store.remove(EVIL);
    await page.until("document.querySelector('#log').textContent.includes('left')");
    await store.put("constructor", { ...HERE, host: EVIL });
    await page.shows("constructor joined");
    await page.until("document.title === 'Talk: 4 users'");
    expect(await page.view.evaluate("document.querySelectorAll('main img').length")).toBe(0);
    expect(page.complaints).toEqual([]);
  });

  test("can be searched by name with the keyboard alone", async () => {
    const { url } = await openRegistry();
    const page = await browse(url);
    await page.shows("2 users here");
    const reached: string[] = [];
    for (let i = 0; i < 9; i++) {
      await page.press("Tab");
      reached.push((await page.focus()).slice(0, 8));
    }
    expect(reached).toEqual([
      "Skip to ",
      "API docs",
      "Metrics",
      "search",
      "Bun",
      "Copy the",
      "Copy the",
      "Copy the",
      expect.any(String),
    ]);
    await page.view.evaluate("document.querySelector('#search').focus()");
    await page.view.cdp("Input.insertText", { text: "AL" });
    await page.shows("1 of 2");
    await page.lists("alice");
    await page.view.cdp("Input.insertText", { text: "zz" });
    await page.shows("No name contains “alzz”.");
  });

  test("stays fast with 10,000 users, of whom it draws only the first", async () => {
    const { store, url } = await openRegistry();
    for (let i = 0; i < 10_000; i++) await store.put(`user-${i}`, HERE);
    const page = await browse(url);
    await page.shows("10,002 users here");
    await page.shows("The first 500 of 10,002; search to see others.");
    await page.view.evaluate("document.querySelector('#search').focus()");
    await page.view.cdp("Input.insertText", { text: "user-9999" });
    await page.shows("1 of 10,002");
    await page.lists("user-9999");
  });

  for (const scheme of ["light", "dark"]) {
    for (const width of [360, 1280]) {
      test(`passes axe, ${scheme} and ${width} pixels wide, and contacts no other host`, async () => {
        const { store, url } = await openRegistry();
        const long = `${"n".repeat(60)}.bot`;
        await store.put(long, { protocol: "WEBSOCKET", host: `${"h".repeat(60)}.example`, port: 65_535 });
        const page = await browse(url, { width, scheme });
        await page.shows("3 users here");
        await put(url, "carol", HERE);
        await fetch(`${url}/v1/users/bob`, { method: "DELETE" });
        await page.shows("bob left");
        // A colour that still fades would be measured on its way.
        await page.until("document.getAnimations().length === 0");
        await page.view.cdp("Runtime.evaluate", { expression: axe.source });
        const violations = await page.view.evaluate(
          "axe.run().then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])))",
        );
        expect(JSON.parse(String(violations))).toEqual([]);
        const hidden = await page.view.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        expect(hidden).toBe(0);
        const colour = await page.view.evaluate(
          "getComputedStyle(document.body.parentElement).backgroundColor",
        );
        expect(colour).toBe(scheme === "dark" ? "rgb(13, 18, 20)" : "rgb(244, 246, 245)");
        expect(new Set(page.requests.map((asked) => new URL(asked).origin))).toEqual(new Set([url]));
        expect(page.complaints).toEqual([]);
      });
    }
  }
});

if (!chromium) process.stderr.write("skipped: the page in a browser, because no Chromium is installed\n");
