/** The least Bun code that receives messages over WebSocket, prints them, and answers each with `OK`. */
const output = Bun.stdout.writer();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    message(socket, frame) {
      const { user, text } = JSON.parse(String(frame));
      output.write(`${user}: ${text}\n`);
      socket.send("OK");
    },
  },
});
output.write(`ready at http://127.0.0.1:${server.port}\n`);
