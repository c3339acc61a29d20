/** Typing while a thousand messages a second come in. */
import { expect, test } from "bun:test";
import { pair } from "../../helpers/chat.ts";
import { inTerminal } from "../../helpers/screen.ts";

const MESSAGES = 2000;

/** What is written in ten milliseconds. */
const BURST = 10;

inTerminal("1,000 messages a second", () => {
  test("leave the typed line whole, and what is not drawn of them is counted", async () => {
    const { alice, from } = await pair({ columns: 60 }, ["--rate-limit", "0"]);
    const line = "this line is typed letter by letter, and longer than the screen is wide";
    async function flood() {
      for (let i = 0; i < MESSAGES; i += BURST) {
        const sent = Array.from({ length: BURST }, (_, n) => from("carol", `message ${i + n}`));
        await Promise.all([...sent, Bun.sleep(10)]);
      }
    }
    async function type() {
      let typed = "";
      for (const letter of line) {
        alice.type(letter);
        typed += letter;
        // The rows of the line, however they are cut.
        await alice.until((rows) => rows.slice(-3).join("").includes(`bob> ${typed}▏`), typed);
      }
    }
    await Promise.all([flood(), type()]);
    const rows = () => alice.everything();
    const drawn = () => rows().filter((row) => /^12:34 carol: message \d+$/.test(row)).length;
    const counted = () =>
      rows()
        .map((row) => Number(/^12:34 carol: (\d+) more \(:last carol \1\)$/.exec(row)?.[1] ?? 0))
        .reduce((sum, count) => sum + count, 0);
    await alice.until(() => drawn() + counted() === MESSAGES, "all drawn or counted");
    expect(drawn()).toBeLessThan(MESSAGES / 2);
    expect(rows().slice(-3).join("")).toEndWith(`${line}▏`);
  });
});
