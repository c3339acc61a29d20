import { canonicalHost, resolveHost } from "./address.ts";
import { isIPv6 } from "./names.ts";

/** Nothing is sent, so any port will do (RFC 863). */
const DISCARD_PORT = 9;

/** A UDP socket connected to one peer: only a connected socket reports that the peer's port is closed. */
export type ConnectedSocket = Awaited<ReturnType<typeof connectUdp>>;

/** @param onError gets ECONNREFUSED when the peer's port is closed. @throws the resolver's error, code ENOTFOUND */
export async function connectUdp(
  host: string,
  port: number,
  onError: (error: unknown) => void,
  onData: (datagram: Buffer) => void = () => {},
) {
  // Resolved here, because udpSocket would block the process while it resolves.
  const [ip = host] = await resolveHost(host);
  return Bun.udpSocket({
    hostname: isIPv6(ip) ? "::" : "0.0.0.0",
    connect: { hostname: ip, port },
    // Bun 1.4 passes only the error, though its types declare it second: the last argument is right either way.
    socket: {
      error: (...reported: unknown[]) => onError(reported.at(-1)),
      data: (_, datagram) => onData(datagram),
    },
  });
}

/** This machine's address on the route to a host. Sends nothing. @throws if there is no route or no such host */
export async function localAddressTowards(host: string): Promise<string> {
  const socket = await connectUdp(host, DISCARD_PORT, () => {});
  try {
    return canonicalHost(socket.address.address);
  } finally {
    socket.close();
  }
}
