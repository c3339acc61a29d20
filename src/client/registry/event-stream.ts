/** Reads a stream of server-sent events (WHATWG HTML §9.2.6). */
import { refused } from "../../core/errors.ts";

export interface ServerSentEvent {
  type: string;
  /** The last one received. */
  id: string | undefined;
  data: string;
}

export interface EventStreamOptions {
  /** Most characters of one event. */
  limit: number;
  /** Called with the reconnection time the stream sets, in milliseconds. */
  onRetry: (ms: number) => void;
}

/** Yields the events of each chunk; none for a comment. @throws `too-large` */
export async function* readEventStream(
  body: AsyncIterable<Uint8Array>,
  { limit, onRetry }: EventStreamOptions,
): AsyncGenerator<ServerSentEvent[]> {
  const decoder = new TextDecoder();
  /** Pieces of an unfinished line: a long list arrives in many chunks. */
  let pieces: string[] = [];
  let size = 0;
  let afterReturn = false;
  let type = "";
  let data: string[] = [];
  let id: string | undefined;

  function endLine(line: string): ServerSentEvent | undefined {
    if (line === "") {
      const event = { type: type || "message", id, data: data.join("\n") };
      const isEvent = data.length > 0;
      [type, data, size] = ["", [], 0];
      return isEvent ? event : undefined;
    }
    const [, field, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "event") type = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) onRetry(Number(value));
    return undefined;
  }

  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true });
    // CR and LF may be split between chunks.
    if (afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") afterReturn = text.endsWith("\r");
    size += text.length;
    if (size > limit) throw refused("too-large", { what: "The event", limit });
    const lines = text.split(/\r\n|\r|\n/);
    const rest = lines.pop() ?? "";
    const events: ServerSentEvent[] = [];
    for (const end of lines) {
      const event = endLine(pieces.length === 0 ? end : pieces.join("") + end);
      pieces = [];
      if (event) events.push(event);
    }
    if (rest !== "") pieces.push(rest);
    yield events;
  }
}
