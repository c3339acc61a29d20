import { describe, expect, test } from "bun:test";
import { createOriginGuard } from "../../src/core/origin-guard.ts";

/** Whether a listener on a host takes a request with these headers. */
function takes(listenHost: string, headers: Record<string, string>, publicHost?: string): boolean {
  try {
    createOriginGuard(listenHost, publicHost)(new Request("http://any", { headers }));
    return true;
  } catch {
    return false;
  }
}

describe("an origin", () => {
  test.each([
    ["http://127.0.0.1:8088", "127.0.0.1:8088"],
    ["http://localhost:8088", "localhost:8088"],
    ["http://[::1]:8088", "[::1]:8088"],
    ["http://[::1]:8088", "[0:0::1]:8088"],
    ["http://db", "db"],
    ["http://db", "db:80"],
    ["http://DB", "db"],
    ["https://talk.example", "talk.example"],
    ["https://talk.example", "talk.example:443"],
    ["https://talk.example:8443", "talk.example:8443"],
  ])("%s matches Host: %s", (origin, host) => {
    expect(takes("0.0.0.0", { origin, host })).toBe(true);
  });

  test.each([
    ["http://evil.example", "127.0.0.1:8088"],
    ["http://localhost:8088", "127.0.0.1:8088"],
    ["http://127.0.0.1:3000", "127.0.0.1:8088"],
    ["http://127.0.0.1", "127.0.0.1:8088"],
    ["https://talk.example", "talk.example:80"],
    ["http://talk.example.evil.example", "talk.example"],
    ["http://talk.example@evil.example", "talk.example"],
    ["null", "127.0.0.1:8088"],
    ["", "127.0.0.1:8088"],
    ["*", "127.0.0.1:8088"],
    ["file://", "127.0.0.1:8088"],
    ["chrome-extension://127.0.0.1:8088", "127.0.0.1:8088"],
    ["http://127.0.0.1:8088, http://evil.example", "127.0.0.1:8088"],
    ["http://talk.example", "a b"],
  ])("%s does not match Host: %s", (origin, host) => {
    expect(takes("0.0.0.0", { origin, host })).toBe(false);
  });

  test("never matches without a Host", () => {
    expect(takes("0.0.0.0", { origin: "http://127.0.0.1" })).toBe(false);
  });

  test("may be that of the proxy, whatever the Host", () => {
    const headers = { origin: "https://talk.example", host: "127.0.0.1:8088" };
    expect(takes("127.0.0.1", headers, "Talk.example")).toBe(true);
    expect(takes("127.0.0.1", headers)).toBe(false);
  });
});

describe("on loopback, Host:", () => {
  test.each([
    "127.0.0.1",
    "127.0.0.1:8088",
    "127.1:8088",
    "2130706433",
    "0x7f000001",
    "10.0.0.5",
    "[::1]:8088",
  ])("%s is accepted, because DNS cannot change where it points", (host) =>
    expect(takes("127.0.0.1", { host })).toBe(true),
  );

  test.each(["localhost", "LOCALHOST:8088", "db", "my_host:1"])("%s is accepted", (host) => {
    for (const listenHost of ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
      expect(takes(listenHost, { host })).toBe(true);
  });

  test.each([
    "evil.example",
    "evil.example:8088",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "a b",
    "",
    "1.fad.de",
  ])("%s is refused", (host) => {
    for (const listenHost of ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
      expect(takes(listenHost, { host })).toBe(false);
  });

  test("the proxy's name is accepted", () => {
    expect(takes("127.0.0.1", { host: "talk.example" }, "talk.example")).toBe(true);
    expect(takes("127.0.0.1", { host: "talk.example:443" }, "talk.example")).toBe(true);
    expect(takes("127.0.0.1", { host: "evil.example" }, "talk.example")).toBe(false);
  });

  test("a missing Host is accepted, because old programs send none", () => {
    expect(takes("127.0.0.1", {})).toBe(true);
  });
});

test("on every other address any Host is accepted", () => {
  for (const host of ["evil.example", "10.0.0.5:8088", "a b"]) expect(takes("0.0.0.0", { host })).toBe(true);
});
