/** Sends messages over UDP at a steady rate: `bun udp.ts port perSecond seconds`. Prints the number sent. */
const [port, perSecond, seconds] = process.argv.slice(2).map(Number);
if (!port || !perSecond || !seconds) throw new Error("port perSecond seconds");

/** Most datagrams per burst: far fewer than a default receive buffer holds. */
const BURST = 16;

const message = '{"user":"alice","text":"hello bob, lunch at one?"}';
const burst = Array<string>(BURST).fill(message);
const socket = await Bun.udpSocket({
  connect: { hostname: "127.0.0.1", port },
  socket: { error() {} },
});

const began = performance.now();
const all = perSecond * seconds;
let sent = 0;
// Busy-waits, because timers are too coarse for a steady rate.
while (sent < all) {
  const due = Math.min(all, ((performance.now() - began) / 1000) * perSecond) - sent;
  if (due >= BURST || sent + BURST > all) sent += socket.sendMany(burst);
}
process.stdout.write(`sent=${sent}\n`);
process.exit(0);
