import type { MayContact } from "../../core/denylist.ts";
import type { Deferral, Outcome, Sender } from "./types.ts";

/** A connection to one peer. */
export interface Connection {
  /** Never rejects. */
  send(body: string): Promise<Outcome | Deferral>;
  close(): void;
}

/** A sender with one connection per peer. @param open must call `onEnded` once, when the connection can send no more */
export function createConnectionPool(
  open: (host: string, port: number, onEnded: () => void, mayContact?: MayContact) => Connection,
  mayContact?: MayContact,
): Sender {
  const connections = new Map<string, Connection>();
  return {
    send({ host, port }, body) {
      const peer = `${host} ${port}`;
      const connection =
        connections.get(peer) ?? open(host, port, () => connections.delete(peer), mayContact);
      connections.set(peer, connection);
      return connection.send(body);
    },
    close() {
      for (const connection of connections.values()) connection.close();
    },
  };
}
