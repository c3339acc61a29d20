/** Sends numbers to a client at a steady rate until stopped. */

/** @param next returns the next number */
export function writeTo(registry: string, to: string, from: string, perSecond: number, next: () => number) {
  const delivered: string[] = [];
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  async function write(url: string): Promise<void> {
    const text = String(next()).padStart(8, "0");
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: from, text }),
      });
      await answer.text();
      if (answer.ok) delivered.push(text);
    } catch {
      // The client has just been killed.
    }
  }

  async function run(): Promise<void> {
    const answer = await fetch(`${registry}/v1/users/${to}`);
    const { port }: { port: number } = JSON.parse(await answer.text());
    const began = performance.now();
    for (let sent = 0; !stopped; ) {
      for (; sent < ((performance.now() - began) / 1000) * perSecond; sent++) {
        const writing = write(`http://127.0.0.1:${port}/v1/message`);
        underWay.add(writing);
        void writing.then(() => underWay.delete(writing));
      }
      await Bun.sleep(5);
    }
    await Promise.all(underWay);
  }

  const done = run();
  return {
    /** Resolves to the acknowledged numbers. */
    async stop(): Promise<string[]> {
      stopped = true;
      await done;
      return delivered;
    },
  };
}
