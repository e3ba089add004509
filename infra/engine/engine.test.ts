/** Tests of the engine's preparation that need no root. The suite `containers` shows that the engine runs. */
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { groupPrefix, removeGroups } from './control-groups.ts';
import { mirrorAmong } from './debian-packages.ts';
import { lacksEngine } from './programs.ts';

afterEach(() => vi.restoreAllMocks());

it('the mirror is the one that apt uses for Debian, not one for security updates or other sources', () => {
  const listed = [
    'Debian Debian-Security http://mirror.example/debian-security/',
    'Else Debian http://other.example/debian/',
    'Debian Debian http://mirror.example/debian/',
    'Debian Debian http://mirror.example/debian/',
  ];
  expect(mirrorAmong(listed.join('\n'))).toBe('http://mirror.example/debian/');
  expect(mirrorAmong(listed.slice(0, 2).join('\n'))).toBeUndefined();
});

it('no file names the host of a registry or mirror', () => {
  const files = globSync('**/*', { cwd: import.meta.dirname, withFileTypes: true }).filter(
    (file) => file.isFile() && !file.name.endsWith('.test.ts'),
  );
  expect(files.length).toBeGreaterThan(8);
  for (const file of files)
    expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toMatch(/https?:\/\/|\b\w+\.(?:com|org|io)\b(?!['"],)/);
});

it('a user without root, or a machine without Linux, is told why and what to do', () => {
  const uid = vi.spyOn(process, 'getuid').mockReturnValue(1000);
  if (process.platform === 'linux') expect(lacksEngine()?.why).toMatch(/only root/);
  uid.mockReturnValue(0);
  const platform = process.platform;
  try {
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    expect(lacksEngine()).toMatchObject({ why: expect.stringMatching(/only Linux/), remedy: expect.stringMatching(/docker info/) });
    Object.defineProperty(process, 'platform', { value: 'linux' });
    expect(lacksEngine()).toBeUndefined();
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
});

it('the control groups of engines are removed, of each controller and at any depth, and no others', () => {
  const top = mkdtempSync(join(tmpdir(), 'cloakroom-groups-'));
  for (const path of [`memory/${groupPrefix}12/container/inner`, `${groupPrefix}12/container`, 'memory/docker/container', 'pids'])
    mkdirSync(join(top, path), { recursive: true });
  removeGroups(top);
  expect(readdirSync(top).toSorted()).toEqual(['memory', 'pids']);
  expect(readdirSync(join(top, 'memory'))).toEqual(['docker']);
  rmSync(top, { recursive: true });
});
