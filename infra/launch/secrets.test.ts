import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developerSecret } from '@cloakroom/mesh';
import { expect, it } from 'vitest';
import { developerSecretFile } from '../stack/stack.observatory.ts';
import { newMeshSecret } from './secrets.ts';

it('each start has its own secret for the caller developer, made as the mesh makes it, for the owner’s eyes alone', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'secrets-'));
  try {
    const file = join(dataDir, developerSecretFile);
    const first = newMeshSecret(dataDir);
    expect(readFileSync(file, 'utf8')).toBe(developerSecret(first));
    const second = newMeshSecret(dataDir);
    expect(readFileSync(file, 'utf8')).toBe(developerSecret(second));
    expect(readFileSync(file, 'utf8')).not.toContain(second);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
