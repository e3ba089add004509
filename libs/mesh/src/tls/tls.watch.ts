/**
 * Follows certificates that change under a running process. A renewer (`npm run certificates -- rotate`, cert-manager) writes files, and the process
 * looks at them once a second. It takes a new set only when it is whole: the certificate matches its key, has not run out, and is signed by an
 * authority of the bundle. Between two renames a set is torn; the process keeps the old one until the next look.
 *
 * An authority is replaced in three steps: trust old and new (`ca.pem` holds both), then use certificates by the new one, then trust the new one
 * alone. Each step is safe beside processes that have not taken it yet. The metrics of each process show which sets it has taken.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { Gauge } from 'prom-client';
import { type Logger, metrics } from '@cloakroom/platform';
import { type MeshTls, readTls } from './tls.ts';

/** A rotation waits for this; three small reads a second cost nothing. inotify does not see how Kubernetes swaps a mounted secret. */
const lookIntervalMs = 1_000;

/** One series for each set taken; the one in use is 1. */
const taken = new Gauge({
  name: 'mesh_certificate_info',
  help: 'The certificate and the authorities in use, by the first digits of their SHA-256.',
  labelNames: ['certificate', 'authorities'] as const,
  registers: [metrics],
});

const expires = new Gauge({
  name: 'mesh_certificate_expires_seconds',
  help: 'When the certificate in use runs out, in seconds since 1970.',
  registers: [metrics],
});

export interface InUse {
  /** Digests of the files. */
  readonly certificate: string;
  readonly authorities: string;
}

export interface WatchedTls extends MeshTls {
  /** The set that every connection of this process has reached. It follows the files after the time that it takes to connect anew. */
  inUse(): InUse;
  /** Looks now, beside the timer. */
  look(): Promise<void>;
  stop(): void;
}

/** @throws Error when the set is not whole at the start */
export async function openTls(
  dir: string,
  name: string,
  options: { readonly log: Logger; readonly lookIntervalMs?: number },
): Promise<WatchedTls> {
  const { log } = options;
  let current = await readTls(dir, name);
  const fault = faultOf(current, Date.now());
  if (fault !== undefined) throw new Error(`the certificate of ${name}: ${fault}`);
  const listeners = new Set<() => void | Promise<void>>();
  let inUse = tell(undefined, current);
  let refused = '';

  const look = async (): Promise<void> => {
    const found = await readTls(dir, name);
    if (isSame(found, current)) return;
    const why = faultOf(found, Date.now());
    if (why !== undefined) {
      // The next look mends a torn set, so only a lasting fault is worth a log line.
      if (why === refused) log.warn({ why }, 'new certificates are not taken');
      refused = why;
      return;
    }
    refused = '';
    current = found;
    await Promise.all([...listeners].map(async (listener) => listener()));
    // Reported only now: a rotation goes on when all processes report the new set.
    inUse = tell(inUse, found);
    log.info(inUse, 'new certificates are in use');
  };
  const stop = repeat(options.lookIntervalMs ?? lookIntervalMs, () =>
    look().catch((error: unknown) => log.debug({ err: error }, 'the certificates cannot be read')),
  );
  return {
    get ca() {
      return current.ca;
    },
    get cert() {
      return current.cert;
    },
    get key() {
      return current.key;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    inUse: () => inUse,
    look,
    stop,
  };
}

/** Runs one after the other. @returns ends it */
function repeat(intervalMs: number, work: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const again = (): void => {
    if (!stopped) timer = setTimeout(() => void work().finally(again), intervalMs).unref();
  };
  again();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** First digits of the SHA-256 of a file's bytes. It tells sets apart. */
export const digest = (pem: Buffer): string => createHash('sha256').update(pem).digest('hex').slice(0, 16);

/** Each certificate of a bundle. */
export function certificatesOf(bundle: Buffer): X509Certificate[] {
  return (bundle.toString().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
}

function faultOf({ ca, cert, key }: MeshTls, nowMs: number): string | undefined {
  try {
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return 'it does not match its key';
    if (leaf.validToDate.getTime() <= nowMs || leaf.validFromDate.getTime() > nowMs) return 'it is not valid now';
    return certificatesOf(ca).some((authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey))
      ? undefined
      : 'no authority of the bundle signed it';
  } catch {
    return 'it cannot be read';
  }
}

const isSame = (one: MeshTls, other: MeshTls): boolean =>
  one.ca.equals(other.ca) && one.cert.equals(other.cert) && one.key.equals(other.key);

function tell(before: InUse | undefined, { ca, cert }: MeshTls): InUse {
  const now = { certificate: digest(cert), authorities: digest(ca) };
  if (before !== undefined) taken.remove({ ...before });
  taken.set(now, 1);
  expires.set(new X509Certificate(cert).validToDate.getTime() / 1000);
  return now;
}
