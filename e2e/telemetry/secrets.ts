/** Data that must never leave the shop in a log line or a span, and how to recognise it in a text. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newPerson } from '../kit/device.ts';

export interface Finding {
  readonly kind: string;
  /** Line number, from 1. */
  readonly line: number;
  /** The line with the finding cut out: a report is a log too. */
  readonly text: string;
}

const shapes: Readonly<Record<string, RegExp>> = {
  'session token': /\bv1\.[a-z0-9-]{1,16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{16,}/,
  'refresh token': /\br1\.[a-z0-9-]{1,16}\.[0-9a-f]{4}\.[A-Za-z0-9-]+\.\d+\.[A-Za-z0-9_-]{16,}/,
  'session cookie': /__Host-(?:session|access|refresh)=[^;\s"\\]+/,
  'passport or other JWS': /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{20,}/,
  'private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----|"d\\?":\\?"[A-Za-z0-9_-]{43}\\?"/,
  'password hash': /\$argon2id?\$/,
  'e-mail address': /[\w.+-]+(?:@|%40)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b/i,
};

/** Known texts: the password of every account, seeded or made by a test, and the secrets that the supervisor made for this run. */
function knownSecrets(dataDir: string): Readonly<Record<string, string>> {
  const files = ['session-mac.key', 'refresh-token.key', 'key-encryption.key', 'postgres.password'].filter((name) =>
    existsSync(join(dataDir, name)),
  );
  return {
    password: newPerson().password,
    ...Object.fromEntries(files.map((name) => [name, readFileSync(join(dataDir, name), 'utf8').trim()])),
  };
}

export function secretsIn(text: string, dataDir: string): Finding[] {
  const known = Object.entries(knownSecrets(dataDir));
  return text.split('\n').flatMap((line, index) => {
    const found = [
      ...Object.entries(shapes).flatMap(([kind, shape]) =>
        shape.test(line) ? [{ kind, cut: line.replaceAll(new RegExp(shape, 'gi'), '...') }] : [],
      ),
      ...known.flatMap(([kind, secret]) => (line.includes(secret) ? [{ kind, cut: line.replaceAll(secret, '...') }] : [])),
    ];
    return found.map(({ kind, cut }) => ({ kind, line: index + 1, text: cut.slice(0, 300) }));
  });
}
