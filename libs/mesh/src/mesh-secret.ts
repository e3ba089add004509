/**
 * Who may call where there are no certificates: in embedded every service listens on loopback, and so anybody on the machine could call it.
 * The process is given a secret at each start; its own calls carry it, and calls without it are refused. Whoever may read the shop's folder
 * has it too: that is its operator.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { callMetadata } from '@cloakroom/contracts';

/** Of this process, since the services in it share one door to the outside. Undefined: there are certificates, or it is a test. */
let secretOfProcess: string | undefined;

/** Before the first service starts. @returns takes it back, for tests */
export function guardMesh(secret: string): () => void {
  secretOfProcess = secret;
  return () => void (secretOfProcess = undefined);
}

/** What a client without certificates shows. */
export const meshSecret = (): string | undefined => secretOfProcess;

/** Whether a call that came without a certificate is one of ours. */
export function isOurs(metadata: Metadata): boolean {
  if (secretOfProcess === undefined) return true;
  const shown = metadata.get(callMetadata.meshSecret);
  return shown.length === 1 && typeof shown[0] === 'string' && timingSafeEqual(digest(shown[0]), digest(secretOfProcess));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
