/**
 * `node infra/containers/hand-out-certificates.ts <folder> <handout> <name>...`: the development certificates of a container stack.
 *
 * They are made in `folder`, or kept while they are good. No service sees that folder. The folder `handout/<name>` of each service gets
 * only its own key and the authority's certificate. So a service that was broken into cannot pass for another.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDevelopmentCa } from '@cloakroom/mesh';

export async function handOut(folder: string, handout: string, names: readonly string[]): Promise<void> {
  await createDevelopmentCa(folder, names);
  for (const name of names) {
    const own = join(handout, name);
    await mkdir(own, { recursive: true });
    for (const file of ['ca.pem', `${name}.pem`, `${name}.key`]) await copyFile(join(folder, file), join(own, file));
  }
}

if (import.meta.main) {
  const [folder, handout, ...names] = process.argv.slice(2);
  if (folder === undefined || handout === undefined) throw new Error('usage: hand-out-certificates.ts <folder> <handout> <name>...');
  await handOut(folder, handout, names);
}
