import { ask, silentAddress } from "../shared/ask.ts";

/** The port of a user, or undefined if there is no such user. */
type State = number | undefined;

/** A client that changes its own users, one request at a time, and knows how they must be listed. */
export interface Lane {
  /** Sends requests until one gets no answer, or the lane is stopped. */
  run(url: string): Promise<void>;
  stop(): void;
  /** Faults in a list: each user must match the last answer, or an unanswered request. */
  faults(list: Record<string, unknown>): string[];
  acknowledged: number;
  refused: number;
}

/** @param random from [0, 1) */
export function createLane(name: string, users: number, random: () => number): Lane {
  const names = Array.from({ length: users }, (_, i) => `${name}-${i}`);
  /** More than one after an unanswered request. */
  const possible = new Map<string, State[]>(names.map((user) => [user, [undefined]]));

  let running = false;

  /** Sends one request; false without an answer. */
  async function step(url: string): Promise<boolean> {
    const user = names[Math.floor(random() * names.length)] ?? "";
    const before = possible.get(user) ?? [];
    const port = 1 + Math.floor(random() * 65_535);
    const address = silentAddress(port);
    const kind = random();
    const method = kind < 0.3 ? "POST" : kind < 0.7 ? "PUT" : "DELETE";
    // The next state for each possible one.
    const after = before.map((state): State => {
      if (method === "POST") return state ?? port;
      return method === "PUT" ? port : undefined;
    });
    possible.set(user, [...new Set([...before, ...after])]);
    const path = method === "POST" ? "/v1/users" : `/v1/users/${user}`;
    const body = method === "POST" ? { user, address } : address;
    const answer = await ask(url, method, path, method === "DELETE" ? {} : { body }).catch(() => undefined);
    if (!answer) return false;
    switch (answer.status) {
      case 200:
        lane.acknowledged++;
        possible.set(user, method === "DELETE" ? [undefined] : [port]);
        break;
      case 409:
        // A 409 is a promise too: the name was taken, and nothing has changed.
        possible.set(
          user,
          before.filter((state) => state !== undefined),
        );
        break;
      case 503:
        lane.refused++;
        break;
      default:
        throw new Error(`${method} ${path} was answered ${answer.status}`);
    }
    return true;
  }

  const lane: Lane = {
    acknowledged: 0,
    refused: 0,
    async run(url) {
      running = true;
      while (running && (await step(url)));
    },
    stop() {
      running = false;
    },
    faults(list) {
      const faults: string[] = [];
      for (const [user, states] of possible) {
        const found = list[user];
        const port = found instanceof Object && "port" in found ? Number(found.port) : undefined;
        if (!states.includes(port)) {
          faults.push(
            `${user} is ${port ?? "missing"}, and should be ${states.map((s) => s ?? "missing").join(" or ")}`,
          );
        }
        possible.set(user, [port]);
      }
      return faults;
    },
  };
  return lane;
}
