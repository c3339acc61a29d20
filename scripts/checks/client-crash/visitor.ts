/** A peer that comes and goes, and records the numbers that arrive. */

/** The longest stay and the longest absence, in milliseconds. */
const MAX_STAY_MS = 300;

/** @param port the port it always listens on */
export function createVisitor(registry: string, name: string, port: number, random: () => number) {
  const arrivals: number[] = [];
  let server: Bun.Server<undefined> | undefined;

  async function register(method: "PUT" | "DELETE"): Promise<void> {
    const body = JSON.stringify({ protocol: "HTTP", host: "127.0.0.1", port });
    const headers = { "content-type": "application/json" };
    await fetch(`${registry}/v1/users/${name}`, { method, headers, ...(method === "PUT" && { body }) });
  }

  async function come(): Promise<void> {
    server ??= Bun.serve({
      hostname: "127.0.0.1",
      port,
      async fetch(request) {
        if (request.method !== "POST") return Response.json({ status: "ok" });
        const { text }: { text: string } = JSON.parse(await request.text());
        arrivals.push(Number(text));
        return Response.json({ status: "ok" });
      },
    });
    await register("PUT");
  }

  /** Sometimes unregisters, as `:exit` does; else just disappears, as after a crash. */
  async function leave(): Promise<void> {
    const leaving = server;
    server = undefined;
    await leaving?.stop(true);
    if (random() < 0.3) await register("DELETE");
  }

  return {
    arrivals: () => arrivals,
    stay: come,
    leave,
    comeAndGo() {
      let stopped = false;
      async function visit(): Promise<void> {
        while (!stopped) {
          await (server ? leave() : come());
          await Bun.sleep(random() * MAX_STAY_MS);
        }
      }
      const done = visit();
      return {
        stop() {
          stopped = true;
          return done;
        },
      };
    },
  };
}
