import { mirroredTopic } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { expect, it, vi } from 'vitest';
import { newUser, quiet } from '../cart.harness.ts';
import { cartTopics } from '../cart.dependencies.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { LogEnds } from './log-ends.ts';

it('the end of the own log is known while a copy does not answer, and that of the copy as it was last told', async () => {
  let aheadMs = 0;
  const clock = { nowMs: () => Date.now(), monotonicMs: () => aheadMs };
  const eventLog = new EmbeddedEventLog({ log: quiet, clock: systemClock });
  const copy = mirroredTopic(cartTopics.events, 'us');
  const topics = { ...cartTopics, mirrors: [{ region: 'us', events: copy }] };
  await eventLog.ensureTopics([topics.events, copy]);
  const ends = new LogEnds({ eventLog, topics, clock, log: quiet, region: 'eu' });
  const ada = newUser();
  const partition = partitionOfCart({ topics }, ada);
  const grow = (topic = topics.events) => eventLog.publish(topic, [{ key: ada, value: Buffer.from('x') }]);
  const standing = () => [ends.standing(partition), ends.standing(partition, 'us')];
  try {
    await grow(copy);
    ends.start();
    await vi.waitFor(() => expect(ends.heardMs()).toBe(0), 10_000);
    aheadMs = 1_000;
    expect(standing()).toEqual([0n, 1n]);
    const bounds = eventLog.bounds.bind(eventLog);
    vi.spyOn(eventLog, 'bounds').mockImplementation((of) => (of.name === copy.name ? Promise.reject(new Error('away')) : bounds(of)));
    await grow();
    await vi.waitFor(() => expect(ends.heardMs()).toBe(1_000), 10_000);
    aheadMs = 2_000;
    expect(standing()).toEqual([1n, 1n]);
  } finally {
    ends.stop();
    vi.restoreAllMocks();
    await eventLog.close();
  }
});
