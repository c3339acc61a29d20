import { describe, expect, test } from "bun:test";
import { BlockList } from "node:net";
import { createContactRule, resolveContact } from "../../src/core/denylist.ts";

const mayContact = createContactRule();

describe("is never contacted:", () => {
  test.each([
    ...["0.0.0.0", "0.1.2.3", "::", "0:0::0"],
    ...["169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"],
    ...["224.0.0.1", "239.255.255.255", "ff02::1", "255.255.255.255", "240.0.0.1"],
    ...[
      "100.100.100.200",
      "192.0.0.192",
      "168.63.129.16",
      "fd00:ec2::254",
      "FD00:0EC2:0:0::0254",
      "fd20:ce::254",
    ],
    ...["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "0:0:0:0:0:ffff:a9fe:a9fe", "::ffff:0.0.0.0"],
    ...["64:ff9b::a9fe:a9fe", "64:ff9b::169.254.169.254", "64:ff9b:1::169.254.169.254", "64:ff9b::0.0.0.1"],
    ...["2002:a9fe:a9fe::1", "2002:e000:1::", "::169.254.169.254", "::a9fe:a9fe"],
    ...["", "bob.example", "127.1"],
  ])("%s", (ip) => expect(mayContact(ip)).toBe(false));

  // As the system's resolver reads them; none can be registered, but they may stand in another registry's list.
  test.each(["169.254.43518", "2852039166", "0xa9fea9fe", "0xa9.254.0251.0376", "0"])(
    "%s, an IP address in an old notation",
    (host) => expect(resolveContact(host, mayContact)).rejects.toThrow("never contacts"),
  );
});

test.each([
  ...["127.0.0.1", "127.255.0.1", "::1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"],
  ...["8.8.8.8", "2606:4700::1", "::ffff:10.0.0.5", "64:ff9b::8.8.8.8", "2002:808:808::1", "192.0.2.1"],
])("%s may be contacted", (ip) => expect(mayContact(ip)).toBe(true));

describe("a denied network", () => {
  const rule = createContactRule(["10.1.0.0/16", "192.168.1.5", "fd12::/16", "::1"]);

  test.each(["10.1.2.3", "192.168.1.5", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12:3::4", "::1"])(
    "contains %s",
    (ip) => expect(rule(ip)).toBe(false),
  );

  test.each(["10.2.2.3", "192.168.1.6", "fd13::1", "127.0.0.1"])("does not contain %s", (ip) =>
    expect(rule(ip)).toBe(true),
  );

  test.each([
    "",
    "10.0.0.0/33",
    "fd00::/129",
    "10.0.0.0/",
    "10.0.0.0/x",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "localhost",
  ])("cannot be spelled %p", (network) => expect(() => createContactRule([network])).toThrow("looks like"));
});

test("a denied network has the same addresses as in node:net's BlockList", () => {
  const random = (below: number) => Math.floor(Math.random() * below);
  const ipv4 = () => Array.from({ length: 4 }, () => random(256)).join(".");
  // 2001:db8::/32, which embeds no IPv4 address.
  const ipv6 = () => `2001:db8:${Array.from({ length: 6 }, () => random(0x10000).toString(16)).join(":")}`;
  for (let i = 0; i < 2000; i++) {
    for (const [family, address, size] of [["ipv4", ipv4, 32] as const, ["ipv6", ipv6, 128] as const]) {
      const [base, bits] = [address(), random(size + 1)];
      const list = new BlockList();
      list.addSubnet(base, bits, family);
      const rule = createContactRule([`${base}/${bits}`]);
      for (const ip of [base, address(), near(base, random(size))]) {
        const denied = list.check(ip, family) || !mayContact(ip);
        expect([`${base}/${bits}`, ip, !rule(ip)]).toEqual([`${base}/${bits}`, ip, denied]);
      }
    }
  }
});

/** An address that differs in one bit. */
function near(ip: string, bit: number): string {
  const [separator, radix, width] = ip.includes(":") ? [":", 16, 16] : [".", 10, 8];
  return ip
    .split(separator)
    .map((part, i) => {
      const flipped = i === Math.floor(bit / width) ? 1 << (width - 1 - (bit % width)) : 0;
      return (Number.parseInt(part, radix) ^ flipped).toString(radix);
    })
    .join(separator);
}

test("a name is contacted only at addresses that are not denied", async () => {
  expect(await resolveContact("127.0.0.1", mayContact)).toEqual(["127.0.0.1"]);
  expect(await resolveContact("::ffff:127.0.0.1", mayContact)).toEqual(["127.0.0.1"]);
  const rule = createContactRule(["127.0.0.0/8", "::1"]);
  expect(resolveContact("localhost", rule)).rejects.toThrow("never contacts");
});

test("a signal that fires before the lookup starts cancels it", async () => {
  await expect(resolveContact("localhost", undefined, AbortSignal.abort(new Error("late")))).rejects.toThrow(
    "late",
  );
  const controller = new AbortController();
  const contact = resolveContact("localhost", undefined, controller.signal);
  controller.abort(new Error("too late"));
  await expect(contact).rejects.toThrow("too late");
});
