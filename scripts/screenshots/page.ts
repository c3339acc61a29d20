/** Takes screenshots of the registry's page in Chromium, light and dark: `bun scripts/screenshots/page.ts [folder]`. */
import { join } from "node:path";
import { createRegistry } from "talk/registry";
import { openPage } from "../../test/helpers/browser.ts";

const [folder = join(import.meta.dir, "../../docs")] = process.argv.slice(2);
const SIZE = { width: 1180, height: 960 };

/** The users when the page is opened. */
const USERS = {
  alice: { protocol: "HTTP", host: "10.0.0.4", port: 8080 },
  bob: { protocol: "UDP", host: "10.0.0.5", port: 3000 },
  carol: { protocol: "WEBSOCKET", host: "10.0.0.7", port: 8082 },
  dave: { protocol: "HTTP", host: "fd00::1f", port: 8080 },
  "build-bot": { protocol: "HTTP", host: "ci.office.example", port: 8080 },
  erin: { protocol: "UDP", host: "10.0.0.11", port: 3000 },
};

const registry = await createRegistry({ store: "memory:" });
// The port that the surrounding text uses.
const url = await registry.listen({ port: 8088 }).catch(() => registry.listen({ port: 0 }));

async function put(user: string, address: object): Promise<void> {
  await fetch(`${url}/v1/users/${user}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
}

const { view } = await openPage();
for (const scheme of ["light", "dark"]) {
  for (const [user, address] of Object.entries(USERS)) await put(user, address);
  await fetch(`${url}/v1/users/frank`, { method: "DELETE" });
  await view.cdp("Emulation.setDeviceMetricsOverride", { ...SIZE, deviceScaleFactor: 1, mobile: false });
  await view.cdp("Emulation.setEmulatedMedia", {
    features: [{ name: "prefers-color-scheme", value: scheme }],
  });
  await view.navigate(`${url}/`);
  await until("6 users here");
  await put("frank", { protocol: "WEBSOCKET", host: "10.0.0.12", port: 8082 });
  await until("frank joined");
  await put("bob", { ...USERS.bob, host: "10.0.0.6" });
  await until("bob moved");
  await fetch(`${url}/v1/users/erin`, { method: "DELETE" });
  await until("erin left");
  // New rows are highlighted for a moment.
  while (await view.evaluate("document.getAnimations().length")) await Bun.sleep(50);
  const { data } = await view.cdp<{ data: string }>("Page.captureScreenshot", { format: "png" });
  await Bun.write(join(folder, `page-${scheme}.png`), Buffer.from(data, "base64"));
}
view.close();
await registry.close();
process.exit(0);

async function until(text: string): Promise<void> {
  while (!(await view.evaluate(`document.body.innerText.includes(${JSON.stringify(text)})`))) {
    await Bun.sleep(20);
  }
}
