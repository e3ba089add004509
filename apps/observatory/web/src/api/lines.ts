/** Newline-delimited JSON, read as it arrives. A page cannot send a bearer header with EventSource, so the live stream comes by fetch. */

/** A line holds one request's summary or the whole stack. One that is longer is broken. */
const lineLengthMax = 1_000_000;

/** @yields each line's value; a line that is no JSON is skipped, because the next one may be well again */
export async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const value = parse(line);
      if (value !== undefined) yield value;
    }
    if (rest.length > lineLengthMax) throw new Error('a line of the live stream is too long');
  }
}

function parse(line: string): unknown {
  if (line.trim() === '') return undefined;
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
