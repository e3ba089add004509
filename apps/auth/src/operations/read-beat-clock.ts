/**
 * The clock of the relay that beats, for those who read its heartbeats. A stand-by asks the holder through the database. When the holder does
 * not answer this is still an answer, without a boot: an error would count against auth's circuit breaker, and auth is well.
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
