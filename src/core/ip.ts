/** What is an IP address. Bun's node:net tells too, but takes longer to load than a first prompt needs. */

const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

export function isIPv4(host: string): boolean {
  return IPV4.test(host);
}

/** With a zone (`%eth0`) or without, but never in brackets. */
export function isIPv6(host: string): boolean {
  const [bare = ""] = host.split("%", 1);
  // Only an IPv6 address stands in brackets in a URL (WHATWG URL §3.5).
  return /^[0-9a-f:.]+$/i.test(bare) && URL.canParse(`http://[${bare}]/`);
}
