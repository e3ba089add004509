/** A record's headers name the request that caused it. So a sign-in is one trace, through every log that it passes. */
import { recordHeaders } from '@cloakroom/contracts';
import type { LogRecord, RecordHeaders } from './event-log.ts';
import { parseTraceparent, type TraceContext } from '@cloakroom/platform';

/** The request behind a change. Undefined for a timer or a start, which no request caused. */
export type Cause = { readonly trace: TraceContext; readonly experiment: string | undefined } | undefined;

/** As columns of an outbox hold it; null for none. */
export interface RecordTrace {
  readonly traceparent: string | null;
  readonly experiment: string | null;
}

export const traceOfCause = (cause: Cause): RecordTrace => ({
  traceparent: cause?.trace.traceparent ?? null,
  experiment: cause?.experiment ?? null,
});

/** The trace of a record that causes another one. An invalid traceparent is not passed on (W3C Trace Context 3.2.2.5). */
export function traceOfRecord({ headers }: Pick<LogRecord, 'headers'>): RecordTrace {
  const traceparent = headers[recordHeaders.traceparent]?.toString();
  return {
    traceparent: parseTraceparent(traceparent) === undefined ? null : (traceparent ?? null),
    experiment: headers[recordHeaders.experiment]?.toString() ?? null,
  };
}

/** For log lines about a record. Undefined where no request caused it. */
export function traceIdOfRecord(record: Pick<LogRecord, 'headers'>): string | undefined {
  return parseTraceparent(traceOfRecord(record).traceparent ?? undefined)?.traceId;
}

export function traceHeaders({ traceparent, experiment }: RecordTrace): RecordHeaders {
  return {
    ...(traceparent !== null && { [recordHeaders.traceparent]: Buffer.from(traceparent) }),
    ...(experiment !== null && { [recordHeaders.experiment]: Buffer.from(experiment) }),
  };
}
