import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';
import { services } from './contracts.ts';

it('policies are asked of every service that a .proto file has', () => {
  const inFiles = globSync('libs/contracts/proto/**/*.proto', { cwd: repository }).flatMap((file) =>
    [...readFileSync(join(repository, file), 'utf8').matchAll(/^service (\w+)/gm)].map(([, name]) => name!),
  );
  expect(services.map(({ name }) => name).toSorted()).toEqual(inFiles.toSorted());
});
