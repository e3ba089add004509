/**
 * A mad process with the services' key. For each message it sends so many exports to the Observatory, more at once than that takes, and answers with
 * the count of each status. The shapes take turns; each of them fills another bound.
 */
import { randomBytes } from 'node:crypto';
import { observatoryBearer } from '@cloakroom/platform/process-life';

export interface FloodOrder {
  readonly url: string;
  readonly key: string;
  readonly exportCount: number;
}
export type FloodAnswer = Readonly<Record<string, number>>;

/** Above the bodies that the Observatory reads at once. */
const atOnce = 10;
/** Below its bound of a body. */
const bodyLength = 1_900_000;
/** Above every bound: an attribute, the attributes of a span, the spans of a trace. */
const [longText, attributeCount, spanCount] = ['x'.repeat(1_900), 64, 5_000];

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const endlessTrace = hex(16);
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const span = (more: object = {}) => {
  const nanos = `${Date.now()}000000`;
  return {
    traceId: hex(16),
    spanId: hex(8),
    name: 'a mad span',
    kind: 1,
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes: [],
    ...more,
  };
};
const many = (length: number, one: () => object): object[] => Array.from({ length }, one);
const exportOf = (spans: readonly object[]): string =>
  JSON.stringify({ resourceSpans: [{ resource: { attributes: [text('service.name', 'mad')] }, scopeSpans: [{ spans }] }] });

const shapes: readonly (() => string)[] = [
  // One text. Where its beginning is kept, the rest must not be.
  () => exportOf([span({ attributes: [text('text', 'x'.repeat(bodyLength))] })]),
  // A trace without end, whose spans are as large as may be.
  () => {
    const attributes = Array.from({ length: attributeCount }, (_, index) => text(`a${index}`, longText));
    return exportOf(many(15, () => span({ traceId: endlessTrace, attributes })));
  },
  // As many traces as there are spans.
  () => exportOf(many(spanCount, span)),
  // Empty objects take the most memory for their length.
  () => `{"resourceSpans":[{"scopeSpans":[{"spans":[${'{},'.repeat(bodyLength / 3)}{}]}]}]}`,
  // Too large.
  () => 'x'.repeat(2 * bodyLength),
];

async function send({ url, key }: FloodOrder, body: string): Promise<string> {
  const headers = { authorization: `Bearer ${observatoryBearer(key)}`, 'content-type': 'application/json' };
  return fetch(`${url}/v1/traces`, { method: 'POST', headers, body }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return String(answer.status);
    },
    // A body that is refused before it is read breaks the connection.
    () => 'broken',
  );
}

process.on('message', (order: FloodOrder) => {
  void (async () => {
    const answers: Record<string, number> = {};
    let sent = 0;
    const sender = async (): Promise<void> => {
      while (sent < order.exportCount) {
        const status = await send(order, shapes[sent++ % shapes.length]!());
        answers[status] = (answers[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, sender));
    process.send!(answers);
  })();
});
