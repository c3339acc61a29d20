/** What every client must do, by the protocol that it listens on. */

import { urlHost } from "../../src/core/address.ts";
import { CLIENT_PATHS } from "../../src/core/protocol.ts";
import { type Address, isRecord, type Protocol } from "../../src/core/schemas.ts";
import { ask } from "./http.ts";
import { NotChecked, type Row } from "./row.ts";
import { probe, sendDatagram } from "./udp.ts";
import { exchangeFrames } from "./websocket.ts";

const TEXTS = ["hello", "", 'two\nlines, "quotes", a \\ and 名 👍'];

/** What is no message: no JSON, no text, no legal name, no string. */
const BAD = [
  "hello",
  '{"user":"conformance"}',
  '{"user":"a b","text":"x"}',
  '{"user":"conformance","text":1}',
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
  ...BAD.map((bad) => ({
    name: `POST /v1/message refuses ${bad}`,
    async check(address: Address) {
      const answer = await ask("POST", base(address) + CLIENT_PATHS.message, bad);
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
      if (answers.some(isError)) instead("no answer that says error");
    },
  },
  ...BAD.map((bad) => ({
    name: `does not answer OK to the frame ${bad}`,
    async check(address: Address) {
      const { answers, instead } = await exchangeFrames(address, [bad]);
      if (answers[0] === "OK") instead("an error, or nothing");
    },
  })),
];

const udp: Row<Address>[] = [
  {
    name: "answers the registry's probe with a datagram that contains its id",
    check: (address) => probe(address),
  },
  {
    name: "takes a datagram per message, and answers probes after it",
    async check(address) {
      for (const message of messages) await sendDatagram(address, message);
      await probe(address);
    },
  },
  {
    name: "survives what is no message",
    async check(address) {
      for (const bad of BAD) await sendDatagram(address, bad);
      await probe(address);
    },
  },
];

/** What only whoever sits in front of a client can see. */
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
    throw new NotChecked("it shows at the client's own command line alone");
  },
}));

export const clientRows: Record<Protocol, Row<Address>[]> = {
  HTTP: [...http, ...unseen],
  WEBSOCKET: [...webSocket, ...unseen],
  UDP: [...udp, ...unseen],
};

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
