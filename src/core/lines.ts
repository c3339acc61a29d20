/** Most characters of a line that are kept; far more than a message may have. */
const MAX_LINE = 1024 * 1024;

/** The lines of a stream in UTF-8, without their ends (LF or CRLF). A line without end is cut, not gathered. */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}
