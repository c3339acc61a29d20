/** Receives messages over WebSocket with the package ws on Node, prints them, and answers each with `OK`. */
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () => {
  process.stdout.write(`ready at http://127.0.0.1:${server.address().port}\n`);
});
server.on("connection", (socket) => {
  socket.on("message", (frame) => {
    const { user, text } = JSON.parse(frame.toString());
    process.stdout.write(`${user}: ${text}\n`);
    socket.send("OK");
  });
});
