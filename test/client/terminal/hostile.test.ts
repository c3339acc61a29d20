/** What comes from outside never reaches the terminal raw, and something visible stands in its place. */
import { expect, test } from "bun:test";
import { visible, visibleText } from "../../../src/core/sanitize.ts";
import { afterwards } from "../../helpers/afterwards.ts";
import { alone, ENTER } from "../../helpers/chat.ts";
import { hostile, UNSAFE } from "../../helpers/hostile.ts";
import { inTerminal, openClient, type TestScreen } from "../../helpers/screen.ts";

/** Wide, so that little is wrapped; and without colours, so that every one of them is foreign. */
const OPTIONS = { columns: 200, rows: 50, env: { NO_COLOR: "1" } };

/** What the client itself writes besides text: erasing, moving, and its modes. */
const OWN = new RegExp(
  `${"\x1b"}\\[(?:[KJH]|\\d+[AG]|\\?25[lh]|\\?7[lh]|\\?2026[lh]|\\?2004h|\\?1004h)|${"\x07"}`,
  "g",
);

/** Everything written so far as text, and the same without spaces, which are lost where rows end. */
function captured(screen: TestScreen): { text: string; dense: string } {
  const text = screen.written().replace(OWN, "");
  return { text, dense: text.replace(/\s+/g, "") };
}

/** How a text has to be seen. */
function seen(text: string): string {
  return text
    .split(/\r\n|\n/)
    .map(visibleText)
    .join("")
    .replace(/\s+/g, "");
}

test("there are more than 200 of them", () => {
  expect(new Set(hostile).size).toBeGreaterThan(200);
});

inTerminal("no hostile byte reaches the terminal, and its visible form does", () => {
  test("in a text", async () => {
    const { alice, from } = await alone(OPTIONS);
    // No sender may write more than 20 rows in a second.
    for (const [i, text] of hostile.entries()) await from(`user-${i % 20}`, `<${i}:${text}:${i}>`);
    await alice.contains(`:${hostile.length - 1}>`);
    const { text, dense } = captured(alice);
    expect(UNSAFE.exec(text)).toBeNull();
    expect(hostile.filter((raw, i) => !dense.includes(`<${i}:${seen(raw)}:${i}>`))).toEqual([]);
    expect(alice.everything().filter((row) => /^(12:34 )?bob: hi/.test(row))).toEqual([]);
  });

  test("in the name of a sender, who is refused", async () => {
    const { alice, from } = await alone(OPTIONS);
    for (const [i, name] of hostile.entries()) await from(`x${name}`, `name ${i}`);
    await from("bob", "the end");
    await alice.contains("bob: the end");
    const { text } = captured(alice);
    expect(UNSAFE.exec(text)).toBeNull();
    expect(text).not.toMatch(/name \d/);
  });

  test("in names, hosts and protocols of a foreign list, and in the errors of its registry", async () => {
    const address = { protocol: "UDP", host: "h", port: 1 };
    const users: Record<string, object> = {};
    for (const [i, text] of hostile.entries()) {
      users[`<${i}:${text}:${i}>`] = address;
      users[`host-${i}`] = { ...address, host: `<h${i}:${text}:h${i}>` };
      users[`protocol-${i}`] = { ...address, protocol: `<p${i}:${text}:p${i}>` };
    }
    let errors = 0;
    let failing = false;
    const registry = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ method }) {
        if (method !== "GET") return Response.json({ status: "ok" });
        if (!failing) return new Response(JSON.stringify(users));
        const i = errors++ % hostile.length;
        return Response.json({ status: "error", message: `<e${i}:${hostile[i]}:e${i}>` }, { status: 500 });
      },
    });
    afterwards(() => registry.stop(true));
    users.zoe = address;
    const zoe = await openClient("zoe", { url: `http://127.0.0.1:${registry.port}` }, [], OPTIONS);
    failing = true;
    zoe.type(`:update${ENTER}`.repeat(hostile.length));
    await zoe.contains(`:e${hostile.length - 1}>`);
    const { text, dense } = captured(zoe);
    expect(UNSAFE.exec(text)).toBeNull();
    const missing = (mark: string) =>
      hostile.filter((raw, i) => {
        const whole = visible(raw).replace(/\s+/g, "");
        return !dense.includes(`<${mark}${i}:${whole}:${mark}${i}>`);
      });
    expect({ names: missing(""), protocols: missing("p"), errors: missing("e") }).toEqual({
      names: [],
      protocols: [],
      errors: [],
    });
    // An address with such a host is none.
    expect(text).not.toContain("host-");
  });
});
