/** All outgoing HTTP requests and WebSocket connections, in one place, so that none can forget its limits. */

/**
 * `fetch` with safe defaults. Responses are never decompressed, because a few bytes may expand to gigabytes, and
 * redirects are not followed unless asked for. Read bodies with `readAtMost`, or cancel them.
 * @throws the system's error; the signal's reason
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

/** Opens a WebSocket without compression (RFC 7692 is not offered). */
export function openWebSocket(url: string, headers: Record<string, string> = {}): WebSocket {
  return new WebSocket(url, { headers, perMessageDeflate: false });
}

/** Whether a response is compressed against our request, so that its body cannot be read. */
export function isCompressed({ headers }: Response): boolean {
  return !["", "identity"].includes(headers.get("content-encoding")?.toLowerCase() ?? "");
}
