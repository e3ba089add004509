/**
 * The key that the services and the Observatory share never travels. Any process may listen at the Observatory's port while it is away, and would hear
 * whatever the services show. The bearer is made from the key, and so is the proof of an answer.
 */
import { createHmac } from 'node:crypto';

const made = (key: string, from: string): string => createHmac('sha256', key).update(from).digest('base64url');

/** The bearer that opens the doors for services. */
export const observatoryBearer = (key: string): string => made(key, 'bearer');

/** Proves that an answer belongs to a question, and comes from one that holds the key. @param nonce of the question, random and without a line end */
export const observatoryProof = (key: string, nonce: string, body: string): string => made(key, `answer\n${nonce}\n${body}`);

/** The header of an answer that carries its proof. */
export const observatoryProofHeader = 'x-answer-proof';
