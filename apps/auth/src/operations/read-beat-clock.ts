/**
 * Returns the clock of the relay that beats, for processes that read its heartbeats. A stand-by asks the holder through the database. If the holder
 * does not answer, this answers without a boot instead of failing. An error would count against auth's circuit breaker, although auth is well.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ReadBeatClockResponseSchema } from '@cloakroom/contracts';
import type { Logger } from '@cloakroom/platform';
import type { Relay } from './relay.ts';

export async function readBeatClock(
  relay: Pick<Relay, 'beatClock'>,
  log: Logger,
): Promise<MessageInitShape<typeof ReadBeatClockResponseSchema>> {
  try {
    const clock = await relay.beatClock();
    return clock === undefined ? {} : { boot: clock.boot, beatMs: BigInt(clock.beatMs) };
  } catch (error) {
    log.debug({ err: error }, 'the relay could not be asked for its clock');
    return {};
  }
}
