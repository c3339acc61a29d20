/** Concurrent requests. */
const LANES = 64;

/** Registers `count` users. @param url the registry's base URL */
export async function fill(url: string, count: number): Promise<void> {
  const headers = { "content-type": "application/json" };
  let next = 0;
  async function lane() {
    while (next < count) {
      const i = next++;
      const body = `{"protocol":"UDP","host":"10.0.0.5","port":${1024 + (i % 60_000)}}`;
      const answer = await fetch(`${url}/v1/users/user-${i}`, { method: "PUT", headers, body });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${url} answered a PUT with ${answer.status}`);
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane));
}
