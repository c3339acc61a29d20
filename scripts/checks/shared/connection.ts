/** A plain HTTP/1.1 client that never retries: a request without an answer is lost. */
import type { Socket } from "bun";

export interface Counts {
  answered: number;
  lost: number;
}

/** Sends one request after another until told to stop. @param keepAlive false opens a connection for each */
export async function sendRequests(
  port: number,
  request: string,
  { keepAlive, counts, until }: { keepAlive: boolean; counts: Counts; until: () => boolean },
): Promise<void> {
  let connection: Awaited<ReturnType<typeof connect>> | undefined;
  while (!until()) {
    connection ??= await connect(port);
    const answer = await connection?.ask(request);
    if (answer?.startsWith("HTTP/1.1 200 ")) counts.answered++;
    else counts.lost++;
    if (answer && keepAlive && !/^connection: close\r$/im.test(answer)) continue;
    connection?.close();
    connection = undefined;
  }
  connection?.close();
}

/** Undefined if nobody accepts the connection. */
async function connect(port: number) {
  let pending: ((answer: string | undefined) => void) | undefined;
  let received = "";
  let open = true;

  function end(answer?: string) {
    pending?.(answer);
    pending = undefined;
    received = "";
  }

  const closed = () => {
    open = false;
    end();
  };
  const socket: Socket | undefined = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        received += bytes.toString("latin1");
        const body = received.indexOf("\r\n\r\n") + 4;
        const length = /^content-length: (\d+)\r$/im.exec(received.slice(0, body))?.[1];
        if (body > 3 && length && received.length >= body + Number(length)) end(received);
      },
      close: closed,
      error: closed,
    },
  }).catch(() => undefined);
  if (!socket) return undefined;
  return {
    ask(request: string): Promise<string | undefined> {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      pending = resolve;
      if (open) socket.write(request);
      else end();
      return promise;
    },
    close: () => socket.end(),
  };
}
