/** Hand-made registries and clients of other implementations; each speaks one dialect and records what it receives. */
import { type Address, isRecord } from "../../src/core/schemas.ts";
import { afterwards } from "./afterwards.ts";
import { createInbox, type Inbox } from "./inbox.ts";

const HOST = "127.0.0.1";

interface Peer {
  address: Address;
  /** Every datagram received, in order. */
  received: string[];
}

/**
 * A UDP client that knows `id-checker` only: it shows any other message to its user.
 * @param late how many more datagrams it receives before it answers one
 */
export async function startIdCheckerClient(late = 0): Promise<Peer & { screen: string[] }> {
  const received: string[] = [];
  const screen: string[] = [];
  const unanswered: (() => void)[] = [];
  const socket = await Bun.udpSocket({
    hostname: HOST,
    socket: {
      data(socket, datagram, port, source) {
        const text = datagram.toString();
        received.push(text);
        if (!text.startsWith("id-checker ")) return void screen.push(text);
        unanswered.push(() => socket.send(text.slice("id-checker ".length), port, source));
        if (unanswered.length > late) unanswered.shift()?.();
      },
      error() {},
    },
  });
  afterwards(() => socket.close());
  return { address: { protocol: "UDP", host: HOST, port: socket.port }, received, screen };
}

/** A UDP client that knows probes in the form of messages, and crashes on anything that is not a message. */
export async function startMessageClient(): Promise<Peer & { isAlive(): boolean; mute(): void }> {
  const received: string[] = [];
  let alive = true;
  let isMute = false;
  const socket = await Bun.udpSocket({
    hostname: HOST,
    socket: {
      data(socket, datagram) {
        received.push(datagram.toString());
        alive &&= isMessage(datagram);
        const probe = readEnvelope(datagram);
        if (!probe || !alive || isMute) return;
        socket.send(envelope({ host: HOST, port: socket.port, id: probe.id }), probe.port, probe.host);
      },
      error() {},
    },
  });
  afterwards(() => socket.close());
  return {
    address: { protocol: "UDP", host: HOST, port: socket.port },
    received,
    isAlive: () => alive,
    mute() {
      isMute = true;
    },
  };
}

/** A WebSocket client that accepts connections at one path only. */
export function startWebSocketClient(
  path: string,
  refuse: (request: Request) => Response = () => new Response("", { status: 404 }),
) {
  const paths: string[] = [];
  const server = Bun.serve({
    hostname: HOST,
    port: 0,
    fetch(request, server) {
      const { pathname } = new URL(request.url);
      paths.push(pathname);
      return pathname === path && server.upgrade(request) ? undefined : refuse(request);
    },
    websocket: { message() {} },
  });
  afterwards(() => server.stop(true));
  const address: Address = { protocol: "WEBSOCKET", host: HOST, port: server.port ?? 0 };
  return { address, paths };
}

/** The UDP side of a registry, whatever the form of its probes. */
export interface ProbingRegistry {
  /** Probes a client once; resolves to what it sent and what came back. */
  check(client: Address): Promise<{ sent: string; answer: string }>;
  /** Whether the client is still in its list. */
  keeps: () => boolean;
}

/** A registry whose UDP checks end at anything that is not a message, and which expects the address in its list. */
export async function startMessageRegistry(): Promise<ProbingRegistry> {
  let alive = true;
  let kept = true;
  let round = 0;
  const answers: Inbox<string> = createInbox();
  const socket = await openSocket(answers);
  return {
    async check(client) {
      // As one make of registry asks that listens everywhere, and draws 64 random bits.
      const id = String(3398252207036025997n + BigInt(round++));
      const sent = envelope({ host: "0.0.0.0", port: socket.port, id });
      socket.send(sent, client.port, client.host);
      const answer = await answers.next();
      const data = readEnvelope(Buffer.from(answer));
      if (!data) alive = false;
      kept &&= data?.id === id && data.host === client.host && data.port === client.port;
      return { sent, answer };
    },
    keeps: () => alive && kept,
  };
}

/** A registry that knows `id-checker` only, and expects the bare id. */
export async function startIdCheckerRegistry(): Promise<ProbingRegistry> {
  let kept = true;
  const answers: Inbox<string> = createInbox();
  const socket = await openSocket(answers);
  return {
    async check(client) {
      const id = crypto.randomUUID();
      const sent = `id-checker ${id}`;
      socket.send(sent, client.port, client.host);
      const answer = await answers.next();
      kept &&= answer === id;
      return { sent, answer };
    },
    keeps: () => kept,
  };
}

/** A probe in the form of a message, or the answer to one. */
export function envelope(data: { host: string; port: number; id: string }): string {
  return JSON.stringify({ user: "healthCheck", text: JSON.stringify(data) });
}

function isMessage(datagram: Buffer): boolean {
  try {
    const message: unknown = JSON.parse(datagram.toString());
    return isRecord(message) && Object.keys(message).sort().join() === "text,user";
  } catch {
    return false;
  }
}

function openSocket(answers: Inbox<string>) {
  const opened = Bun.udpSocket({
    hostname: HOST,
    socket: { data: (_, datagram) => answers.push(datagram.toString()), error() {} },
  });
  afterwards(async () => (await opened).close());
  return opened;
}

/** Parses as Jackson does into a class with exactly these fields, turning numbers into strings. */
function readEnvelope(datagram: Buffer): { host: string; port: number; id: string } | undefined {
  try {
    const message: unknown = JSON.parse(datagram.toString());
    if (!isRecord(message) || Object.keys(message).sort().join() !== "text,user") return undefined;
    // Jackson keeps all digits of a long number; JSON.parse would round it.
    const data: unknown = JSON.parse(String(message.text).replace(/:(-?\d{16,})(?=[,}])/g, ':"$1"'));
    if (!isRecord(data) || Object.keys(data).sort().join() !== "host,id,port") return undefined;
    return { host: String(data.host), port: Number(data.port), id: String(data.id) };
  } catch {
    return undefined;
  }
}
