/** Opens a registry's event stream and reads nothing: `bun stalled.ts <url>`. */
const { hostname, port, host } = new URL(process.argv[2] ?? "");
await Bun.connect({
  hostname,
  port: Number(port),
  socket: {
    open(socket) {
      socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      socket.pause();
      process.stdout.write("stalled\n");
    },
    data: (socket) => socket.pause(),
  },
});
setInterval(() => {}, 60_000);
