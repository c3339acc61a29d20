/** The WebSocket connections of a listener, of which there are only so many. */
import { WEBSOCKET_CLOSE } from "../../core/protocol.ts";

/**
 * Most connections of one source, and in all. A sender keeps its connection for as long as it likes, so an idle one is
 * no offence; but where there are too many, the one that has been idle the longest is closed, in good order: its
 * sender opens another when it has something to say.
 */
const MAX_PER_SOURCE = 250;
const MAX_IN_ALL = 2000;

/** What is known of a connection. */
export interface Guest {
  source: string;
  /** When it was last heard: a number that grows with every frame of anybody. */
  heard: number;
  /** Its next frames are not taken any more, because it is being closed. */
  refused: boolean;
}

type Socket = Pick<Bun.ServerWebSocket<Guest>, "data" | "close">;

export interface Crowd {
  /** Takes a connection in, and closes another if there are too many. */
  enter(socket: Socket): void;
  heard(guest: Guest): void;
  leave(socket: Socket): void;
}

export function createCrowd({ perSource = MAX_PER_SOURCE, inAll = MAX_IN_ALL } = {}): Crowd {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  let turn = 0;

  function makeRoom(source: string): void {
    const crowdedBySource = (counts.get(source) ?? 0) >= perSource;
    if (!crowdedBySource && sockets.size < inAll) return;
    let idlest: Socket | undefined;
    for (const socket of sockets) {
      if (crowdedBySource && socket.data.source !== source) continue;
      if (!idlest || socket.data.heard < idlest.data.heard) idlest = socket;
    }
    if (!idlest) return;
    forget(idlest);
    idlest.data.refused = true;
    idlest.close(WEBSOCKET_CLOSE.tryAgain, "Too many connections; open another when you need it.");
  }

  function forget(socket: Socket): void {
    if (!sockets.delete(socket)) return;
    const { source } = socket.data;
    const count = (counts.get(source) ?? 0) - 1;
    if (count > 0) counts.set(source, count);
    else counts.delete(source);
  }

  return {
    enter(socket) {
      const { source } = socket.data;
      makeRoom(source);
      socket.data.heard = ++turn;
      sockets.add(socket);
      counts.set(source, (counts.get(source) ?? 0) + 1);
    },
    heard(guest) {
      guest.heard = ++turn;
    },
    leave: forget,
  };
}
