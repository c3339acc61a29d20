/** Whether somebody answers at an address of ours: who starts again under a name asks that first. */
import { expect, mock, test } from "bun:test";
import dns from "node:dns/promises";
import { isPresent } from "../../src/client/registry/liveness.ts";
import { transports } from "../../src/client/transports/index.ts";
import type { Protocol } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";

const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];
const IPS = ["::1", "127.0.0.1"];

/** A host with two addresses; all others are looked up as ever. */
const HOST = "two";
const { lookup } = dns;
mock.module("node:dns/promises", () => ({
  ...dns,
  lookup: async (host: string, options: { all: true }) =>
    host === HOST ? IPS.map((address) => ({ address })) : lookup(host, options),
}));

test.each(protocols)(
  "a client on %s is found at whichever address of its host it listens on",
  async (protocol) => {
    for (const ip of IPS) {
      const { port, close } = await transports[protocol].listen({
        host: ip,
        port: 0,
        onMessage() {},
        advertised: (port) => ({ protocol, host: ip, port }),
        registryIps: [],
      });
      afterwards(close);
      expect(await isPresent({ protocol, host: HOST, port })).toBe(true);
      await close();
      expect(await isPresent({ protocol, host: HOST, port })).toBe(false);
    }
  },
);
