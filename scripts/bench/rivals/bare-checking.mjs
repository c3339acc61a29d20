/** The least code that checks clients, 200 at once, and records when each was seen: `bun bare-checking.mjs <clients>`. */
const CHECKS = 200_000;
const LANES = 200;

const clients = Number(process.argv[2]);
const users = new Map();
for (let i = 0; i < clients; i++)
  users.set(`user-${i}`, { protocol: "UDP", host: "10.0.0.5", port: 1024 + (i % 60_000) });

await checkAll();
const began = process.cpuUsage();
for (let round = 0; round < CHECKS / clients; round++) await checkAll();
const { user, system } = process.cpuUsage(began);
process.stdout.write(`${(user + system) / CHECKS}\n`);
process.exit(0);

async function checkAll() {
  const entries = new Map();
  for (const [name, address] of users) entries.set(name, { name, address, seen: 0 });
  const waiting = entries.values();
  const lane = async () => {
    for (const entry of waiting) if (await probe(entry.address)) entry.seen = performance.now();
  };
  await Promise.all(Array.from({ length: Math.min(LANES, clients) }, lane));
}

async function probe() {
  return true;
}
