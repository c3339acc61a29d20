/** Receives messages over UDP with node:dgram on Node, and prints them. */
import { createSocket } from "node:dgram";

const socket = createSocket("udp4");
socket.on("message", (datagram) => {
  const { user, text } = JSON.parse(datagram.toString());
  process.stdout.write(`${user}: ${text}\n`);
});
socket.bind(0, "127.0.0.1", () => {
  process.stdout.write(`ready at udp://127.0.0.1:${socket.address().port}\n`);
});
