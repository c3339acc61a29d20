import type { MayContact } from "../../core/denylist.ts";
import type { Deferral, Outcome, Sender } from "./types.ts";

/** What is open towards one peer. */
export interface Link {
  /** Never rejects. */
  send(body: string): Promise<Outcome | Deferral>;
  close(): void;
}

/** A sender that keeps one link to each peer. @param open calls `onEnded` once, when the link can send no more */
export function createLinkSender(
  open: (host: string, port: number, onEnded: () => void, mayContact?: MayContact) => Link,
  mayContact?: MayContact,
): Sender {
  const links = new Map<string, Link>();
  return {
    send({ host, port }, body) {
      const peer = `${host} ${port}`;
      const link = links.get(peer) ?? open(host, port, () => links.delete(peer), mayContact);
      links.set(peer, link);
      return link.send(body);
    },
    close() {
      for (const link of links.values()) link.close();
    },
  };
}
