/**
 * Replaces the mesh's authority and every certificate while everything runs. It takes three steps, and waits after each until all processes have
 * taken it. A process that trusts the old authority alone would refuse its peers' new certificates, and the other way round. An interrupted rotation
 * leaves a working state: the old or the new certificates, and a bundle that trusts both.
 */
import { readTls, newAuthority, writeAuthorities, writeLeaf } from './tls.ts';
import { digest } from './tls.watch.ts';

export interface Step {
  readonly what: 'trust both authorities' | 'certificates by the new one' | 'trust the new one alone';
  /** Digest of ca.pem, as the metric `mesh_certificate_info` shows it. */
  readonly authorities: string;
  /** Digest of each name's certificate. */
  readonly certificates: ReadonlyMap<string, string>;
}

/**
 * @param taken resolves when every process uses what the step wrote; rejects when one does not in time, which ends the rotation there
 */
export async function rotateCertificates(
  dir: string,
  names: readonly string[],
  { nowMs, taken }: { readonly nowMs: number; readonly taken: (step: Step) => Promise<void> },
): Promise<void> {
  const authority = await newAuthority(nowMs);
  const stand = async (what: Step['what']): Promise<Step> => {
    const sets = await Promise.all(names.map(async (name) => [name, await readTls(dir, name)] as const));
    return { what, authorities: digest(sets[0]![1].ca), certificates: new Map(sets.map(([name, { cert }]) => [name, digest(cert)])) };
  };
  const before = (await readTls(dir, names[0]!)).ca.toString();
  await writeAuthorities(dir, `${before.trimEnd()}\n${authority.pem}\n`);
  await taken(await stand('trust both authorities'));
  for (const name of names) await writeLeaf(dir, name, await authority.issue(name));
  await taken(await stand('certificates by the new one'));
  await writeAuthorities(dir, authority.pem);
  await taken(await stand('trust the new one alone'));
}
