import { expect, test } from "bun:test";
import { isIP, isIPv6 as nodeIsIPv6 } from "node:net";
import { isHost, isIPv4, isIPv6 } from "../../src/core/names.ts";

const addresses = [
  ...[
    "1.2.3.4",
    "255.255.255.255",
    "256.1.1.1",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4.5",
    "0x7f.1.1.1",
    "",
    "1.2.3.4 ",
  ],
  ...[
    "::",
    "::1",
    "1::2::3",
    "fe80::1%eth0",
    "::ffff:1.2.3.4",
    "2001:db8::g",
    "[::1]",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
  ],
  ...["1:2:3:4:5:6:7:8:9", ":1", "1:", "::1/64", "::1]", "12345::", "::1.2.3", "localhost", "a:b", "::\n"],
];

test.each(addresses)("%j is an IP address exactly if node:net says so", (host) => {
  expect([isIPv4(host), isIPv6(host)]).toEqual([isIP(host) === 4, nodeIsIPv6(host)]);
});

test.each([
  ["10.0.0.5", true],
  ["::1", true],
  ["chat.example", true],
  ["my_host", true],
  ["fe80::1%eth0", false],
  ["[::1]", false],
  ["1.2.3", false],
  ["0x7f000001", false],
  ["127.0.0.0x1", false],
  ["0X7F.0.0.0x1", false],
  ["0x", false],
  ["0x7g", true],
  ["0x7f.chat.example", true],
  ["x7f", true],
  ["a b", false],
  ["bob: hi", false],
  ["", false],
])("%j is a valid host: %p", (host, is) => {
  expect(isHost(host)).toBe(is);
});
