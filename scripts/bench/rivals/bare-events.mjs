/** An event stream on bare Bun.serve: whatever is posted to /tell is written to all readers of /events. */
const streams = new Set();
const headers = { "content-type": "text/event-stream" };

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    if (request.method === "POST") {
      const bytes = await request.bytes();
      for (const stream of streams) stream.enqueue(bytes);
      return new Response("ok");
    }
    let stream;
    const body = new ReadableStream({
      start(controller) {
        stream = controller;
        streams.add(stream);
        stream.enqueue(":\n\n");
      },
      cancel() {
        streams.delete(stream);
      },
    });
    return new Response(body, { headers });
  },
});
console.log(`ready at ${server.url.origin}`);
