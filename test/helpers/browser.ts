/** Keep a browser from calling home; and as root it runs only without its sandbox. */
const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

/** Where Chromium or Chrome is on this machine, if it is. */
export const chromium = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find(Boolean);

/** A page of the browser, and every URL it has asked for since. */
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
