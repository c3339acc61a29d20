/** The least Bun code that receives messages over HTTP and prints them. */
const output = Bun.stdout.writer();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {
    "/v1/message": {
      async POST(request) {
        const { user, text } = await request.json();
        output.write(`${user}: ${text}\n`);
        return Response.json({ status: "ok" });
      },
    },
  },
});
output.write(`ready at http://127.0.0.1:${server.port}\n`);
