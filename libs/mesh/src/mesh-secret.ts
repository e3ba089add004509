/**
 * Protects calls where there are no certificates. In embedded mode every service listens on loopback, so any process on the machine could call it.
 * The process is given a secret at each start. Its own calls carry it, and the server refuses calls without it. A user who may read the shop's folder
 * has it too: that is its operator.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { callMetadata } from '@cloakroom/contracts';

/** One secret a process, since its services share one door to the outside. Undefined where there are certificates, and in tests. */
let secretOfProcess: string | undefined;

/** Call it before the first service starts. @returns takes it back, for tests */
export function guardMesh(secret: string): () => void {
  secretOfProcess = secret;
  return () => void (secretOfProcess = undefined);
}

/** The secret that a client without certificates sends. */
export const meshSecret = (): string | undefined => secretOfProcess;

/** Whether a call without a certificate came from one of our services. */
export function isOurs(metadata: Metadata): boolean {
  if (secretOfProcess === undefined) return true;
  const shown = metadata.get(callMetadata.meshSecret);
  return shown.length === 1 && typeof shown[0] === 'string' && timingSafeEqual(digest(shown[0]), digest(secretOfProcess));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
