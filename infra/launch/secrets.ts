/** Secrets of one data folder, made at its first start. Only its owner can read them. */
import { createHmac, randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../native/debian.ts';
import { StackError } from '../stack/outcome.ts';
import { developerSecretFile } from '../stack/stack.observatory.ts';
import { meshNames } from '../stack/stack.ts';

/** Time for two key pairs and signatures per name, and the start of one Node process. */
const certificatesTimeoutMs = 120_000;

/**
 * createDevelopmentCa would renew certificates at the same age. The check here saves an ordinary start that process. All certificates of a folder
 * expire on one day.
 */
const remainingMinMs = 8 * 24 * 60 * 60 * 1000;

/** @returns base64url of 32 bytes: gateways and auth seal tokens with it. Two regions share it: a gateway checks the seal of tokens of both */
export function sessionMacKey(dataDir: string): string {
  return keptSecret(dataDir, 'session-mac.key');
}

/** @returns base64url of 32 bytes: in the modes jwt and jwt-denylist auth alone seals refresh tokens with it */
export function refreshTokenKey(dataDir: string, region?: string): string {
  return secretOfAuth(dataDir, 'refresh-token', region);
}

/** @returns base64url of 32 bytes: auth seals its signing keys and second factors with it, so a lost one makes its database unreadable */
export function keyEncryptionKey(dataDir: string, region?: string): string {
  return secretOfAuth(dataDir, 'key-encryption', region);
}

/**
 * Only auth opens what it seals with this. So each of two regions has its own, and a thief of one has nothing of the other. A folder from before has
 * one for both regions. Each goes on with that one, which sealed what its database holds.
 */
function secretOfAuth(dataDir: string, name: string, region: string | undefined): string {
  if (region === undefined) return keptSecret(dataDir, `${name}.key`);
  const [shared, own] = [`${name}.key`, `${name}-${region}.key`];
  if (existsSync(join(dataDir, shared)) && !existsSync(join(dataDir, own))) copyFileSync(join(dataDir, shared), join(dataDir, own));
  return keptSecret(dataDir, own);
}

/** @returns the password of the services' roles in our own PostgreSQL; only loopback can use it, but every user of the machine can try */
export function databasePassword(dataDir: string): string {
  return keptSecret(dataDir, 'postgres.password');
}

export const oceanKeyFile = 'ocean.key';

/** @returns the key of the ocean's door: `npm run ocean` shows it */
export function oceanKey(dataDir: string): string {
  return keptSecret(dataDir, oceanKeyFile);
}

/** The keys of one start of the Observatory. Only the page's is written down, with the state of the run: commands of this machine need it. */
export interface ObservatoryKeys {
  readonly page: string;
  readonly spans: string;
}

export function newObservatoryKeys(): ObservatoryKeys {
  return { page: randomBytes(32).toString('base64url'), spans: randomBytes(32).toString('base64url') };
}

const meshSecretFile = 'mesh.secret';

/**
 * The secret of one start of embedded, in place of certificates. Its own calls carry it, and so do the operator's, since the operator may read the
 * folder.
 */
export function newMeshSecret(dataDir: string): string {
  const secret = randomBytes(32).toString('base64url');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Writing an existing file does not change its mode.
  rmSync(join(dataDir, meshSecretFile), { force: true });
  writeFileSync(join(dataDir, meshSecretFile), secret, { mode: 0o600 });
  rmSync(join(dataDir, developerSecretFile), { force: true });
  writeFileSync(join(dataDir, developerSecretFile), developerSecretOf(secret), { mode: 0o600 });
  return secret;
}

/** Made as libs/mesh makes it (metadata.ts, a test compares them), which is not imported here: the launcher stays small. */
export const developerSecretOf = (meshSecret: string): string =>
  createHmac('sha256', meshSecret).update('caller developer').digest('base64url');

/** @returns undefined where there is none */
export function readMeshSecret(dataDir: string): string | undefined {
  const file = join(dataDir, meshSecretFile);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function keptSecret(dataDir: string, name: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, name);
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

/**
 * The services, the operator (`npm run revoke-everything` shows its certificate) and the developer (`npm run call`). Containers get those of the
 * services alone. The names are not imported from the contracts, which would make the launcher larger.
 */
export const certificateNames: readonly string[] = [...meshNames, 'operator', 'developer'];

/** The certificates of the mesh, from a development CA of this folder. */
export async function meshCertificates(dataDir: string): Promise<void> {
  const dir = join(dataDir, 'tls');
  if (areCurrent(dir)) return;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // A separate process keeps the launcher small, as the launcher lives as long as the shop.
  const failure = await run(process.execPath, [join(import.meta.dirname, 'certificates.ts'), dir, ...certificateNames], {
    timeoutMs: certificatesTimeoutMs,
  });
  if (failure !== undefined) throw new StackError(`the certificates of the mesh could not be made: ${failure}`, 'start again with --fresh');
  for (const file of readdirSync(dir)) chmodSync(join(dir, file), 0o600);
}

function areCurrent(dir: string): boolean {
  const files = ['ca.pem', ...certificateNames.flatMap((name) => [`${name}.pem`, `${name}.key`])];
  if (!files.every((file) => existsSync(join(dir, file)))) return false;
  try {
    return new X509Certificate(readFileSync(join(dir, 'ca.pem'))).validToDate.getTime() - Date.now() > remainingMinMs;
  } catch {
    return false;
  }
}
