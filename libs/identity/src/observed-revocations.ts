/** Names, in the span of a batch of revocations, the last session that it is about, and all that it ended. */
import { observed, type RevocationEvent } from '@cloakroom/contracts';
import { type LogRecord, traceIdOfRecord } from '@cloakroom/event-log';
import { observeRunning } from '@cloakroom/platform';

/** A person who ends all other devices ends fewer. Beyond it the attribute would be larger than the rest of the span. */
const endedCountMax = 100;

/** @param ended of the batch so far; grows */
export function observeRevocation({ event }: RevocationEvent, record: LogRecord, ended: string[]): void {
  if (event.case !== 'sessionRevoked') return;
  const { handle, subject } = event.value;
  if (event.value.ended && ended.length < endedCountMax) ended.push(`${handle} ${traceIdOfRecord(record) ?? ''}`.trimEnd());
  observeRunning(() => ({
    [observed.session]: handle,
    [observed.subject]: subject,
    [observed.sessionEnded]: event.value.ended,
    ...(ended.length > 0 && { [observed.sessionsEnded]: ended.join(', ') }),
  }));
}
