/** Classifies a failed call to Redis: a store that cannot be reached now, or a defect of ours. */
import { StoreUnavailable } from './session.store.ts';

/** Replies of a server that is there but cannot serve now. All other replies are defects of ours and stay as they are. */
const passingReplies = [
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'BUSY',
  'UNKILLABLE',
  // A newer build's value, which the replicas of that build can read (session.scripts.layout.ts).
  'LAYOUT',
  'NOAUTH',
  'WRONGPASS',
];

export const isReply = (error: unknown, code: string): boolean => error instanceof Error && error.message.startsWith(`${code} `);

/** An answer of Redis that says no; not a connection that failed or took too long. */
export const isErrorReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

/** Any failure that is neither an error reply of Redis nor a defect here is a connection that failed or took too long. */
export function unavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailable || error instanceof TypeError || error instanceof RangeError) return error;
  if (error instanceof Error && error.name === 'ReplyError' && !passingReplies.some((code) => isReply(error, code))) return error;
  return new StoreUnavailable('the session store does not answer', { cause: error });
}
