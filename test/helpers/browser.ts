/** Keeps a browser from calling home; as root, it only runs without its sandbox. */
const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

/** The path of Chromium or Chrome, if this machine has one. */
export const chromium = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find(Boolean);

/** A browser page, and every URL it has requested since. */
export async function openPage(): Promise<{ view: Bun.WebView; requests: string[] }> {
  if (!chromium) throw new Error("there is no Chromium on this machine");
  const view = new Bun.WebView({
    backend: { type: "chrome", url: false, path: chromium, argv: QUIET },
    width: 1280,
    height: 1600,
  });
  const requests: string[] = [];
  await view.navigate("about:blank");
  await view.cdp("Network.enable");
  view.addEventListener<{ request: { url: string } }>("Network.requestWillBeSent", ({ data }) => {
    requests.push(data.request.url);
  });
  return { view, requests };
}
