import { isIPv6 } from "node:net";
import { canonicalHost, resolveHost } from "./address.ts";

/** Any port will do where nothing is sent (RFC 863's was made for that). */
const DISCARD_PORT = 9;

/** A socket for one peer alone: only a connected one tells whether that peer refused. */
export type ConnectedSocket = Awaited<ReturnType<typeof connectUdp>>;

/** @param onError gets ECONNREFUSED when the peer's port is closed. @throws the resolver's error, code ENOTFOUND */
export async function connectUdp(
  host: string,
  port: number,
  onError: (error: unknown) => void,
  onData: (datagram: Buffer) => void = () => {},
) {
  // Looked up here, because udpSocket would block the process meanwhile.
  const [ip = host] = await resolveHost(host);
  return Bun.udpSocket({
    hostname: isIPv6(ip) ? "::" : "0.0.0.0",
    connect: { hostname: ip, port },
    // Bun 1.4 hands over the error alone, its types say it is the second of two: the last is right for both.
    socket: {
      error: (...reported: unknown[]) => onError(reported.at(-1)),
      data: (_, datagram) => onData(datagram),
    },
  });
}

/** The address of this machine from which a host is reached. Nothing is sent. @throws when it has none, or no such host */
export async function localAddressTowards(host: string): Promise<string> {
  const socket = await connectUdp(host, DISCARD_PORT, () => {});
  try {
    return canonicalHost(socket.address.address);
  } finally {
    socket.close();
  }
}
