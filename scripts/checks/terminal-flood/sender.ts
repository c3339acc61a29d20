/** Sends messages from several users to a client: `sender.ts <url> <senders> <each> <per second>`. */
const [url = "", senders = 20, each = 500, perSecond = 1000] = process.argv
  .slice(2)
  .map((word, i) => (i === 0 ? word : Number(word)));

const all = Number(senders) * Number(each);
const began = performance.now();
const lanes = Array.from({ length: Number(senders) }, () => Promise.resolve());

async function write(user: string, text: string): Promise<void> {
  const answer = await fetch(`${url}/v1/message`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, text }),
  });
  await answer.text();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
}

for (let sent = 0; sent < all; ) {
  const due = Math.min(all, ((performance.now() - began) / 1000) * Number(perSecond));
  for (; sent < due; sent++) {
    const i = sent % lanes.length;
    const text = `message ${Math.floor(sent / lanes.length)}, as long as people write them, or nearly so`;
    // Keep each sender's messages in order.
    lanes[i] = (lanes[i] ?? Promise.resolve()).then(() => write(`user-${i}`, text));
  }
  await Bun.sleep(2);
}
await Promise.all(lanes);
