import { createLogger } from '@cloakroom/platform';
import { openRedis } from '@cloakroom/platform/redis';
import { expect } from './device.ts';
import { portBase } from './stack.ts';

/**
 * Moves the time of the last proof into the past, for all sessions of this person. It writes where auth
 * reads: the one Redis of the native profile.
 */
export async function ageAuthentication(subject: string, byMs: number): Promise<void> {
  const redis = openRedis({ url: `redis://127.0.0.1:${portBase + 210}`, name: 'e2e', log: createLogger('e2e', 'silent') });
  try {
    await expect.poll(() => redis.status).toBe('ready');
    const index = (await redis.keys(`*:u:${subject}`))[0]!;
    const sessions = await redis.keys(`${index.slice(0, index.indexOf(':'))}:s:*`);
    let aged = 0;
    for (const key of sessions) {
      // The lines of a record: libs/session/src/session.redis.record.ts. An empty line 9 says "when it was created".
      const lines = (await redis.get(key))!.split('\n');
      if (lines[3] !== subject) continue;
      lines[8] = String(Number(lines[8] || lines[7]) - byMs);
      await redis.set(key, lines.join('\n'), 'KEEPTTL');
      aged++;
    }
    expect(aged).toBeGreaterThan(0);
  } finally {
    redis.disconnect();
  }
}
