/** What Talk asks others over HTTP and WebSocket, in one place, so that no question can forget its limits. */

/**
 * Asks over HTTP. What comes back is never inflated, because a few bytes may stand for gigabytes, and a redirect is not
 * followed unless that is asked for. Read bodies with `readAtMost`, or cancel them. @throws the system's error; the signal's reason
 */
export function request(
  url: string,
  { headers, ...init }: Omit<RequestInit, "headers"> & { headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(url, {
    redirect: "manual",
    ...init,
    headers: { ...headers, "accept-encoding": "identity" },
    decompress: false,
  });
}

/** Opens a connection on which no frame is compressed (RFC 7692 is not offered). */
export function openWebSocket(url: string, headers: Record<string, string> = {}): WebSocket {
  return new WebSocket(url, { headers, perMessageDeflate: false });
}

/** Whether an answer is compressed, although that was not asked for: its body cannot be read. */
export function isCompressed({ headers }: Response): boolean {
  return !["", "identity"].includes(headers.get("content-encoding")?.toLowerCase() ?? "");
}
