/** One minute of the revocation feed: sessions end, the real relay publishes what the outbox holds, and readers hear it. Bytes are counted at them. */
import { topics } from '@cloakroom/contracts';
import { sizeOf } from '@cloakroom/event-log';
import { openHarness } from '../../apps/auth/src/auth.harness.ts';
import { beatOnce } from '../../apps/auth/src/operations/relay.ts';
import { endSessions, openReader } from '../bench/sessions/feed.ts';

export const minuteS = 60;
/** Every process hears the same feed, so a few stand for all. */
const readerCount = 2;

/** @returns bytes that one reader heard in the minute */
export async function hearMinute(endedCount: number, beatCount: number): Promise<number> {
  const harness = await openHarness();
  try {
    const readers = await Promise.all(Array.from({ length: readerCount }, () => openReader(harness)));
    const heard = readers.map(() => 0);
    readers.forEach(({ feed }, index) => feed.onRevocation(() => (heard[index]! += 1)));
    const ended = await endSessions(harness, endedCount);
    for (let beat = 0; beat < beatCount; beat++) await beatOnce(harness.relay);
    const published = harness.eventLog.of(topics.sessionRevocations);
    for (const { hear } of readers) if (published.length > 0) await hear(published);
    for (const { feed } of readers) await feed.stop();
    if (heard.some((count) => count !== ended.length))
      throw new Error(`${ended.length} sessions ended, and readers heard ${heard.join(' and ')}`);
    return published.reduce((sum, record) => sum + sizeOf(record), 0);
  } finally {
    await harness.auth.database.destroy();
  }
}
