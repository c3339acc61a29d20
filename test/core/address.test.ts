import { describe, expect, test } from "bun:test";
import { canonicalHost, formatAddress, isUnspecified, sameAddress } from "../../src/core/address.ts";
import { localAddressTowards } from "../../src/core/udp-socket.ts";

test.each([
  ["LocalHost", "localhost"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["2001:DB8::0:1", "2001:db8::1"],
  ["::ffff:127.0.0.1", "127.0.0.1"],
  ["::ffff:7f00:1", "127.0.0.1"],
  ["fe80::1%eth0", "fe80::1"],
])("%s is canonically %s", (host, spelling) => {
  expect(canonicalHost(host)).toBe(spelling);
});

test.each(["0.0.0.0", "::", "0:0::0", "::ffff:0.0.0.0"])("%s is a wildcard", (host) => {
  expect(isUnspecified(host)).toBe(true);
});

test.each(["127.0.0.1", "::1", "localhost", "0.0.0.1"])("%s is not a wildcard", (host) => {
  expect(isUnspecified(host)).toBe(false);
});

describe("an address", () => {
  test.each([
    [{ protocol: "UDP", host: "10.0.0.5", port: 3000 }, "udp://10.0.0.5:3000"],
    [{ protocol: "WEBSOCKET", host: "::1", port: 8082 }, "ws://[::1]:8082"],
    [{ protocol: "QUIC", host: "h", port: 1 }, "quic://h:1"],
  ])("%j is formatted as %s", (address, text) => {
    expect(formatAddress(address)).toBe(text);
  });

  test("is the same however its host is spelled, but not on another port or protocol", () => {
    const here = { protocol: "HTTP", host: "::1", port: 80 };
    expect(sameAddress(here, { ...here, host: "0:0:0:0:0:0:0:1" })).toBe(true);
    expect(sameAddress(here, { ...here, port: 81 })).toBe(false);
    expect(sameAddress(here, { ...here, protocol: "UDP" })).toBe(false);
  });
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::1", "::1"],
])("this machine reaches %s from %s", async (host, local) => {
  expect(await localAddressTowards(host)).toBe(local);
});
