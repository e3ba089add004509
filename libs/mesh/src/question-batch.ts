/** Bounds of a stream of questions, the same at both ends, and the cut of a queue into messages. */

/** As many as the calls of one connection (`grpc.max_concurrent_streams`) and of one process (`inFlightMaxDefault`). */
export const questionCountMax = 1_000;
/** One turn of the event loop rarely has more. A message of so many small questions takes 2 ms to read, which no deadline feels. */
export const questionsPerMessageMax = 256;
/** A message is sent and decoded whole. This keeps it far below the 1 MiB that a server takes, whatever the last part adds. */
const messageBytesMax = 64 * 1024;

/** Takes the first parts that fit into one message, at least one. @param sizeOf in bytes, without the overhead of the fields */
export function takeBatch<Part>(queue: Part[], sizeOf: (part: Part) => number): Part[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < questionsPerMessageMax) {
    bytes += sizeOf(queue[count]!);
    if (count > 0 && bytes > messageBytesMax) break;
    count += 1;
  }
  return queue.splice(0, count);
}
