/** How long to wait, in whole seconds, as a listener says it in HTTP's header (RFC 9110 §10.2.3) and when it closes a WebSocket. */

/** The reason of a WebSocket's close, which is all that a close has room for. @param ms rounded up to seconds */
export function closeReason(ms: number): string {
  return `Retry-After: ${Math.ceil(ms / 1000)}`;
}

/** The milliseconds in the reason of a close; undefined for words of any other kind. */
export function readCloseReason(reason: string): number | undefined {
  const [, text] = /^Retry-After: (.*)$/s.exec(reason) ?? [];
  return readRetryAfter(text);
}

/** The milliseconds in the header's value; undefined without one, and for a date, which no Talk program sends. */
export function readRetryAfter(text: string | null | undefined): number | undefined {
  return /^\d{1,6}$/.test(text ?? "") ? Number(text) * 1000 : undefined;
}
