/** What every client must do, by protocol. */

import { urlHost } from "../../src/core/address.ts";
import { CLIENT_PATHS } from "../../src/core/protocol.ts";
import { type Address, isRecord } from "../../src/core/schemas.ts";
import { ask } from "./http.ts";
import { Mismatch, NotChecked, type Result, type Row, type RunOptions, runRows } from "./row.ts";
import { openUdpClient, type UdpClient } from "./udp.ts";
import { exchangeFrames } from "./websocket.ts";

const TEXTS = ["hello", "", 'two\nlines, "quotes", a \\ and 名 👍'];

/** Invalid for every implementation: not JSON, or no text. */
const BAD = ["hello", '{"user":"conformance"}'];

/** Invalid for Talk, though others may accept it: an invalid name, a text that is no string. */
const STRANGE = ['{"user":"a b","text":"x"}', '{"user":"conformance","text":1}'];

const refusals = [
  ...BAD.map((body) => ({ body })),
  ...STRANGE.map((body) => ({ body, ours: true as const })),
];

const messages = TEXTS.map((text) => JSON.stringify({ user: "conformance", text }));

const http: Row<Address>[] = [
  {
    name: "GET /v1/health answers 2xx",
    async check(address) {
      const answer = await ask("GET", base(address) + CLIENT_PATHS.health);
      if (answer.status < 200 || answer.status > 299) answer.instead("2xx");
    },
  },
  ...messages.map((message) => ({
    name: `POST /v1/message takes ${message}`,
    async check(address: Address) {
      const answer = await ask("POST", base(address) + CLIENT_PATHS.message, message);
      if (answer.status < 200 || answer.status > 299) answer.instead("2xx");
    },
  })),
  ...refusals.map(({ body, ...whose }) => ({
    ...whose,
    name: `POST /v1/message refuses ${body}`,
    async check(address: Address) {
      const answer = await ask("POST", base(address) + CLIENT_PATHS.message, body);
      if (answer.status < 400 || answer.status > 499) answer.instead("4xx");
    },
  })),
];

const webSocket: Row<Address>[] = [
  {
    name: "a connection to /v1/ws/message opens",
    check: async (address) => void (await exchangeFrames(address, [])),
  },
  {
    name: "takes a text frame per message, several on one connection",
    async check(address) {
      const { answers, instead } = await exchangeFrames(address, messages);
      if (answers.some(isError)) instead("no error answer");
    },
  },
  ...refusals.map(({ body, ...whose }) => ({
    ...whose,
    name: `does not answer OK to the frame ${body}`,
    async check(address: Address) {
      const { answers, instead } = await exchangeFrames(address, [body]);
      if (answers[0] === "OK") instead("an error, or nothing");
    },
  })),
];

const udp: Row<UdpClient>[] = [
  {
    name: "answers the registry's probe with a datagram that contains its id",
    check: (client) => client.probe(),
  },
  {
    name: "takes a datagram per message, and answers probes after it",
    check: (client) => expectAnswersAfter(client, messages),
  },
  {
    name: "survives invalid messages",
    check: (client) => expectAnswersAfter(client, [...BAD, ...STRANGE]),
  },
];

/** Sends datagrams, and a probe after each. @throws NotChecked if no probe is ever answered */
async function expectAnswersAfter(client: UdpClient, datagrams: readonly string[]): Promise<void> {
  if (!client.isProbed())
    throw new NotChecked("the client answers no probe, so nothing shows whether it accepted the message");
  for (const datagram of datagrams) {
    await client.send(datagram);
    await client.probe().catch((error) => {
      if (!(error instanceof Mismatch)) throw error;
      throw new Mismatch("an answer to the probe after it", datagram, "silence");
    });
  }
}

/** Requirements that only the client's user can see. */
const unseen = [
  "takes --name, --registry, --host, --port and --protocol",
  "listens on 8080, 8082 or 3000 unless told otherwise",
  "registers and lists the users on start",
  "asks for the list every 2–3 minutes",
  ":update lists the users",
  ":user <user> selects who gets the messages",
  "a line is sent to the selected user",
  ":exit unregisters and ends",
].map((name) => ({
  name,
  async check() {
    throw new NotChecked("only the client's own command line shows it");
  },
}));

/** No row starts later than this, in milliseconds; none takes more than 6 s. */
const WITHIN_MS = 12_000;

/** Checks a client with the rows of its protocol, in less than 20 s. */
export function checkClient(address: Address, given: RunOptions): Promise<Result[]> {
  const options = { ...given, within: WITHIN_MS };
  switch (address.protocol) {
    case "HTTP":
      return runRows([...http, ...unseen], address, options);
    case "WEBSOCKET":
      return runRows([...webSocket, ...unseen], address, options);
    case "UDP":
      return runRows([...udp, ...unseen], openUdpClient(address), options);
  }
}

function base({ host, port }: Address): string {
  return `http://${urlHost(host)}:${port}`;
}

function isError(answer: string): boolean {
  try {
    const value: unknown = JSON.parse(answer);
    return isRecord(value) && value.status === "error";
  } catch {
    return false;
  }
}
