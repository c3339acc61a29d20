/** The least Bun code that receives messages over UDP and prints them. */
const output = Bun.stdout.writer();

const socket = await Bun.udpSocket({
  hostname: "127.0.0.1",
  socket: {
    data(_, datagram) {
      const { user, text } = JSON.parse(datagram.toString());
      output.write(`${user}: ${text}\n`);
    },
  },
});
output.write(`ready at udp://127.0.0.1:${socket.port}\n`);
