// Shows who is here, kept current by v1/events. Untrusted strings are set as text, never as HTML.

/** Most rows drawn; beyond that, users must search. */
const MAX_ROWS = 500;

/** Most log entries kept, few enough not to scroll. */
const MAX_LOG = 12;

/** Pauses after a refusal, in milliseconds. The browser reconnects lost streams itself. */
const RETRY_MS = { first: 2000, most: 30_000 };

const SCHEMES = { HTTP: "http", WEBSOCKET: "ws", UDP: "udp" };

const byId = (id) => document.getElementById(id);
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const number = new Intl.NumberFormat();

/** By name: the address, when this page first saw the user, and its row. */
const users = new Map();
let isKnown = false;
let retryMs = RETRY_MS.first;
let drawing = false;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function timeOf(date) {
  const element = make("time", "", time.format(date));
  element.dateTime = date.toISOString();
  element.title = date.toLocaleString();
  return element;
}

/** As the client formats it: `udp://10.0.0.5:3000`. */
function addressText({ protocol, host, port }) {
  return `${SCHEMES[protocol] ?? protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function makeRow(name, { address, since }) {
  const row = make("tr", isKnown ? "fresh" : "");
  const scheme = SCHEMES[address.protocol] ?? address.protocol;
  const where = make("td", `address ${address.protocol.toLowerCase()}`);
  where.append(make("span", "protocol", scheme), addressText(address).slice(scheme.length));
  const seen = make("td", "since");
  seen.append(timeOf(since));
  row.append(make("td", "name", name), where, seen);
  return row;
}

function put(name, address) {
  users.set(name, { address, since: users.get(name)?.since ?? new Date(), row: undefined });
}

function note(type, name, more) {
  const entry = make("li", type);
  const what = make("span");
  what.append(make("b", "", name), " ", make("i", "", type), more === undefined ? "" : ` ${more}`);
  entry.append(timeOf(new Date()), what);
  const log = byId("log");
  log.prepend(entry);
  if (log.children.length > MAX_LOG) log.lastElementChild.remove();
  byId("quiet").hidden = true;
}

/** Applies a whole list, logging each difference as a change. */
function takeList(list) {
  const listed = new Map(Object.entries(list));
  for (const name of [...users.keys()]) if (!listed.has(name)) take("left", name);
  for (const [name, address] of listed) {
    const known = users.get(name);
    if (!known) take("joined", name, address);
    else if (addressText(known.address) !== addressText(address)) take("moved", name, address);
  }
  isKnown = true;
}

function take(type, name, address) {
  if (type === "left") users.delete(name);
  else put(name, address);
  if (isKnown) note(type, name, type === "moved" ? `to ${addressText(address)}` : undefined);
}

function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function draw() {
  drawing = false;
  const counts = { HTTP: 0, WEBSOCKET: 0, UDP: 0 };
  for (const { address } of users.values()) counts[address.protocol] = (counts[address.protocol] ?? 0) + 1;
  for (const protocol of Object.keys(SCHEMES)) {
    byId(`count-${protocol}`).textContent = number.format(counts[protocol]);
  }
  const total = `${number.format(users.size)} ${users.size === 1 ? "user" : "users"}`;
  byId("total").textContent = users.size === 0 ? "Nobody is here" : `${total} here`;
  document.title = `Talk: ${total}`;

  const wanted = byId("search").value.trim().toLowerCase();
  const found = [...users.keys()].filter((name) => name.toLowerCase().includes(wanted));
  found.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const rows = found.slice(0, MAX_ROWS).map((name) => {
    const user = users.get(name);
    user.row ??= makeRow(name, user);
    return user.row;
  });
  showRows(byId("list"), rows);
  byId("found").textContent = summary(found.length, wanted);
}

/** Keeps unchanged rows in place, so that nothing flickers or loses its selection. */
function showRows(list, rows) {
  const shown = new Set(rows);
  for (const row of [...list.children]) if (!shown.has(row)) row.remove();
  for (const [i, row] of rows.entries()) {
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
  }
}

function summary(found, wanted) {
  if (users.size === 0) return "Nobody is here yet. The lines under Join start a client.";
  if (found === 0) return `No name contains “${wanted}”.`;
  if (found > MAX_ROWS) return `The first ${MAX_ROWS} of ${number.format(found)}; search to see others.`;
  return wanted === "" ? "" : `${number.format(found)} of ${number.format(users.size)}`;
}

function say(state, text) {
  const status = byId("status");
  if (status.dataset.state === state) return;
  status.dataset.state = state;
  status.textContent = text;
}

function listen() {
  const stream = new EventSource("v1/events");
  stream.onopen = () => {
    retryMs = RETRY_MS.first;
    say("live", "Live");
  };
  stream.addEventListener("users", ({ data }) => {
    takeList(JSON.parse(data));
    drawSoon();
  });
  for (const type of ["joined", "moved", "left"]) {
    stream.addEventListener(type, ({ data }) => {
      const { user, address } = JSON.parse(data);
      take(type, user, address);
      drawSoon();
    });
  }
  stream.onerror = () => {
    say("away", "Reconnecting…");
    // The browser reopens a lost stream by itself, but gives up on a refused one.
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(RETRY_MS.most, retryMs * 2);
  };
}

/** Without https or localhost there is no clipboard API, but the browser can copy a selection. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
}

const base = new URL(".", location.href).href.replace(/\/$/, "");
byId("registry").textContent = base;
for (const line of document.querySelectorAll("[data-line]")) {
  for (const word of line.dataset.line.replace("{url}", base).split(" ")) {
    line.append(line.hasChildNodes() ? " " : "", make("span", "", word));
  }
}
byId("reach").hidden = !/^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.firstChild;
  button.addEventListener("click", async () => {
    await copy(byId(button.dataset.copy));
    label.textContent = "Copied";
    byId("copied").textContent = "Copied.";
    setTimeout(() => {
      label.textContent = "Copy";
      byId("copied").textContent = "";
    }, 2000);
  });
}
byId("search").addEventListener("input", drawSoon);
listen();
