import { expect, it } from 'vitest';
import { z } from 'zod';
import {
  adminConfig,
  areOthers,
  createLogger,
  databaseConfig,
  haveProfiles,
  processConfig,
  profileIsMissing,
  profilesAbroadConfig,
  readEnvironment,
  regionIsOwn,
  regionsConfig,
} from './index.ts';

const schema = z.object({ ...processConfig, ...adminConfig, ...databaseConfig });

it('reports every violation at once and no value', () => {
  const read = () => readEnvironment(schema, { LISTEN_PORT: '99999', DATABASE_URL: 'mysql://user:hunter2@x' });
  expect(read).toThrow(/REPLICA[^]*LISTEN_PORT[^]*ADMIN_PORT[^]*DATABASE_URL/);
  expect(read).not.toThrow(/hunter2/);
});

it('fills in what has a safe default', () => {
  const config = readEnvironment(schema, { REPLICA: 'cart-1', LISTEN_PORT: '4120', ADMIN_PORT: '0', DATABASE_URL: 'sqlite::memory:' });
  expect(config).toMatchObject({ HOST: '127.0.0.1', LOG_LEVEL: 'info', REGION: 'local', LISTEN_PORT: 4120 });
});

it('knows one region unless it is told of others, each with the replicas of its auth', () => {
  const read = (OTHER_REGIONS?: string) => readEnvironment(z.object(regionsConfig), { OTHER_REGIONS }).OTHER_REGIONS;
  expect([read(), read('')]).toEqual([[], []]);
  expect(read('us=localhost:4458;ap=auth-1.ap:4110,auth-2.ap:4110')).toEqual([
    { region: 'us', authAddress: 'localhost:4458' },
    { region: 'ap', authAddress: 'auth-1.ap:4110,auth-2.ap:4110' },
  ]);
  for (const wrong of ['us', 'us=', 'US=a:1', 'us=a', 'us=a:1;us=b:2', 'us=a:1,ap=b:2']) expect(() => read(wrong)).toThrow(/OTHER_REGIONS/);
});

it('refuses its own region among the others', () => {
  const schema = z.object({ REGION: processConfig.REGION, ...regionsConfig }).refine(areOthers, regionIsOwn);
  const read = (OTHER_REGIONS: string, REGION?: string) => readEnvironment(schema, { OTHER_REGIONS, REGION }).OTHER_REGIONS;
  expect(read('us=localhost:4458', 'eu')).toHaveLength(1);
  expect(() => read('us=localhost:4458;eu=localhost:4110', 'eu')).toThrow(/OTHER_REGIONS: .*REGION/);
  expect(() => read('local=localhost:4110')).toThrow(/OTHER_REGIONS: .*REGION/);
});

it('knows the profile service of each other region', () => {
  const schema = z.object({ ...regionsConfig, ...profilesAbroadConfig }).refine(haveProfiles, profileIsMissing);
  const read = (OTHER_REGIONS?: string, PROFILE_ABROAD?: string) =>
    readEnvironment(schema, { OTHER_REGIONS, PROFILE_ABROAD }).PROFILE_ABROAD;
  expect(read()).toEqual([]);
  expect(read('us=localhost:4458', 'us=localhost:4460')).toEqual([{ region: 'us', address: 'localhost:4460' }]);
  expect(() => read('us=localhost:4458', 'ap=localhost:4460')).toThrow(/PROFILE_ABROAD/);
});

it('never logs a secret field, however deep', () => {
  const lines: string[] = [];
  const log = createLogger('x', 'info', { write: (line) => lines.push(line) });
  log.info(
    { token: 's3cret', request: { password: 's3cret', deeper: { cookie: 's3cret' } }, metadata: { 'x-passport': 's3cret' }, fine: 'shown' },
    'hello',
  );
  expect(lines.join('')).not.toContain('s3cret');
  expect(lines.join('')).toContain('shown');
});
