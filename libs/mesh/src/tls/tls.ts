/**
 * Mutual TLS inside the mesh, with a certificate authority for development. A certificate names its holder's service (CN and SAN). The server reads
 * the caller's name from it, and the client accepts only the service it meant to call. The authority's private key is never written: it signs once
 * and is forgotten. So the files on the disk are not enough to make a further certificate.
 */
import 'reflect-metadata';
import { createPrivateKey, randomBytes, X509Certificate as ParsedCertificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import type * as X509 from '@peculiar/x509';
import { type Clock, systemClock } from '@cloakroom/platform';

export interface MeshTls {
  /** One certificate, or two while an authority is being replaced. */
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** For a set that changes (tls.watch.ts): called, and waited for, when the three change. Returns the unsubscribe function. */
  readonly onChange?: ((listener: () => void | Promise<void>) => () => void) | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Certificates are made anew at a start, so a month is ample for a stack that is left running. */
const lifetimeMs = 30 * dayMs;
/** A start renews certificates that would run out within this. */
const remainingMinMs = 7 * dayMs;
/** Covers a clock that is set back a little between two starts. */
const backdateMs = 60 * 60 * 1000;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const serviceName = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * Writes `ca.pem`, `<name>.pem` and `<name>.key` for each service into the folder. Keeps existing files when they cover all names and are good for
 * another week. Never run it in two processes at a time: only the launcher of the stack calls it.
 */
export async function createDevelopmentCa(dir: string, names: readonly string[], clock: Clock = systemClock): Promise<void> {
  for (const name of names) if (!serviceName.test(name)) throw new RangeError(`not a service name: ${name}`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (await isUsable(dir, names, clock.nowMs())) return;

  const authority = await newAuthority(clock.nowMs());
  for (const name of names) await writeLeaf(dir, name, await authority.issue(name));
  // Written last. An interrupted start leaves certificates that the old authority did not sign, or not for that key; the next start makes them again.
  await writeAuthorities(dir, authority.pem);
}

export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** Signs for as long as this object lives, because the key is kept nowhere else. */
export interface Authority {
  readonly pem: string;
  issue(name: string): Promise<Leaf>;
}

export async function newAuthority(nowMs: number): Promise<Authority> {
  // The import stands here, because every service reads this file, and only the launcher makes certificates. It brings 170 files.
  const x509 = await import('@peculiar/x509');
  const validity = { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + lifetimeMs) };
  const keys = await newKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    // Each authority has its own name. Two stand in the bundle during a replacement, and OpenSSL looks for the issuer by its name.
    name: `CN=Cloakroom development CA ${randomBytes(4).toString('hex')}`,
    keys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    pem: authority.toString('pem'),
    async issue(name) {
      const leafKeys = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${name}`,
        issuer: authority.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        ...validity,
        extensions: leafExtensions(x509, name),
      });
      return { cert: certificate.toString('pem'), key: await privatePem(x509, leafKeys.privateKey) };
    },
  };
}

export async function writeLeaf(dir: string, name: string, { cert, key }: Leaf): Promise<void> {
  await replace(join(dir, `${name}.key`), key, 0o600);
  await replace(join(dir, `${name}.pem`), cert, 0o644);
}

export const writeAuthorities = (dir: string, pem: string): Promise<void> => replace(join(dir, 'ca.pem'), pem, 0o644);

export async function readTls(dir: string, name: string): Promise<MeshTls> {
  const [ca, cert, key] = await Promise.all(['ca.pem', `${name}.pem`, `${name}.key`].map((file) => readFile(join(dir, file))));
  return { ca: ca!, cert: cert!, key: key! };
}

/** The one service that a verified certificate names. Undefined when it names none or is ambiguous (two CNs arrive as a list). */
export function callerOf(certificate: Pick<PeerCertificate, 'subject' | 'subjectaltname'> | undefined): string | undefined {
  const name: unknown = certificate?.subject?.CN;
  if (typeof name !== 'string' || !serviceName.test(name)) return undefined;
  return (certificate?.subjectaltname ?? '').split(', ').includes(`DNS:${name}`) ? name : undefined;
}

function leafExtensions(x509: typeof X509, name: string): X509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
    new x509.SubjectAlternativeNameExtension([
      { type: 'dns', value: 'localhost' },
      { type: 'dns', value: name },
    ]),
  ];
}

// Types by inference: Node's and the browser's declarations use the same names, and only one of the two is in scope.
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function privatePem(x509: typeof X509, key: Parameters<typeof crypto.subtle.exportKey>[1]): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function replace(file: string, content: string, mode: number): Promise<void> {
  await writeFile(`${file}.new`, content, { mode });
  await rename(`${file}.new`, file);
}

async function isUsable(dir: string, names: readonly string[], nowMs: number): Promise<boolean> {
  try {
    const all = await Promise.all(names.map(async (name) => ({ name, ...(await readTls(dir, name)) })));
    return all.every(({ ca, cert, key, name }) => {
      const authority = new ParsedCertificate(ca);
      const leaf = new ParsedCertificate(cert);
      const lasts = [authority, leaf].every((certificate) => certificate.validToDate.getTime() - nowMs > remainingMinMs);
      const isWhole = leaf.verify(authority.publicKey) && leaf.checkPrivateKey(createPrivateKey(key));
      return lasts && leaf.subject === `CN=${name}` && isWhole;
    });
  } catch {
    return false;
  }
}
