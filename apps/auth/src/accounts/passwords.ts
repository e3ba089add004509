/**
 * Password hashes: argon2id with OWASP's parameters. One hash takes 19 MiB and a thread of the pool that other work needs too. So two run at a time,
 * some wait, and the rest is refused. A flood of sign-ins then neither takes the process down nor slows requests that only resolve a session.
 *
 * Callers on known devices wait in a line of their own, so that the flood does not keep owners out.
 */
import { hash, verify } from '@node-rs/argon2';
import { isProblem, type Problem } from '@cloakroom/contracts';
import { inCallSpan } from '@cloakroom/platform';
import { boundedConcurrency, type Place } from '../bounded-concurrency.ts';
import { hashesShed, hashesWaiting } from '../metrics.ts';

/** OWASP Password Storage Cheat Sheet: m=19456 KiB, t=2, p=1. The library's default algorithm is argon2id. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** 2 x 19 MiB, and 2 of the 4 threads of the pool. */
const hashingCountMax = 2;
/** A hash takes about 30 ms and two run at a time. The last in the queue waits half a second, a tenth of the sign-in's budget. */
const waitingCountMax = 32;
/** A quarter of the others: few owners on known devices wait at any moment, and 8 wait 120 ms. */
const waitingFirstCountMax = 8;

export interface Passwords {
  hash(password: string): Promise<string | Problem>;
  /** With an undefined hash (unknown account) it costs the same as with a known one, and returns false. */
  matches(hash: string | undefined, password: string, place?: Place): Promise<boolean | Problem>;
}

export interface Argon2 {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}

const nodeArgon2: Argon2 = { hash: (password) => hash(password, parameters), verify: (encoded, password) => verify(encoded, password) };

export async function openPasswords(argon2: Argon2 = nodeArgon2): Promise<Passwords> {
  const line = boundedConcurrency(hashingCountMax, waitingCountMax, (count) => hashesWaiting.set(count), waitingFirstCountMax);
  const bounded = async <Result>(work: () => Promise<Result>, place?: Place): Promise<Result | Problem> => {
    const done = await line(work, place);
    if (isProblem(done)) hashesShed.inc();
    return done;
  };
  const dummyHash = await argon2.hash('no account has this password');
  return {
    // The spans include the wait for a place, which is most of the time in a flood.
    hash: (password) => inCallSpan('argon2 hash', {}, () => bounded(() => argon2.hash(normalised(password)))),
    matches: (encoded, password, place) =>
      inCallSpan('argon2 verify', {}, () =>
        bounded(async () => {
          const same = await argon2.verify(encoded ?? dummyHash, normalised(password));
          return same && encoded !== undefined;
        }, place),
      ),
  };
}

/** NIST SP 800-63B 3.1.1.2: normalised, so that the same characters typed on another keyboard are the same password. */
const normalised = (password: string): string => password.normalize('NFKC');
