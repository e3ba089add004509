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
  'NOAUTH',
  'WRONGPASS',
];

export const isReply = (error: unknown, code: string): boolean => error instanceof Error && error.message.startsWith(`${code} `);

/** Any failure that is neither an error reply of Redis nor a defect here is a connection that failed or took too long. */
export function unavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailable || error instanceof TypeError || error instanceof RangeError) return error;
  if (error instanceof Error && error.name === 'ReplyError' && !passingReplies.some((code) => isReply(error, code))) return error;
  return new StoreUnavailable('the session store does not answer', { cause: error });
}
