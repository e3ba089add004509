import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig as readAuth } from '@cloakroom/auth';
import { readConfig as readGateway } from '@cloakroom/gateway';
import { describe, expect, it } from 'vitest';
import { drawStack, type AppSpec } from '../stack/stack.ts';
import { checkEnvironmentNames, checkExampleIsWhole, checkExampleValues, exampleFile } from './environment-names.ts';
import { plantedTree } from './tree.ts';

const example = readFileSync(join(import.meta.dirname, '..', '..', exampleFile), 'utf8');
/** The lines before this one are an example, for the person's own servers. */
const ownServers = example.slice(0, example.indexOf('# What infra/stack/stack.ts tells'));
const toldByUs = example.replace(ownServers, '\n'.repeat(ownServers.split('\n').length - 1));

const native = drawStack({ provider: 'native', base: 4000, dataDir: '.cloakroom/native', webDir: 'apps/web/dist' });
const embedded = drawStack({ provider: 'embedded', base: 4000, dataDir: '.cloakroom/embedded', webDir: 'apps/web/dist' });
const runs = [...native.processes, ...embedded.processes].map(({ run }) => run);
const apps: readonly AppSpec[] = runs.flatMap((run) => (run.kind === 'app' ? [run.app] : run.kind === 'embedded' ? run.apps : []));

const key = Buffer.alloc(32, 1).toString('base64url');
const secrets = { SESSION_MAC_KEY: key, REFRESH_TOKEN_KEY: key, KEY_ENCRYPTION_KEY: key };

/** Decisions of the code where the drawing says nothing. */
function defaults(app: 'auth' | 'gateway'): [string, string][] {
  const env = apps.find((one) => one.app === app)!.env;
  const config = (app === 'auth' ? readAuth : readGateway)({ ...env, ...secrets });
  return Object.entries(config)
    .filter(([name, value]) => !(name in env) && !(name in secrets) && value !== undefined)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : JSON.stringify(value).replaceAll('"', '')]);
}

const drawn = apps.flatMap(({ env }) => Object.entries(env));
const logFiles = runs.flatMap((run): [string, string][] => (run.kind === 'embedded' ? [['EVENT_LOG_FILE', run.eventLogFile]] : []));
const told = new Map(
  [...Map.groupBy([...drawn, ...logFiles, ...defaults('auth'), ...defaults('gateway')], ([name]) => name)].map(([name, pairs]) => [
    name,
    new Set(pairs.map(([, value]) => value)),
  ]),
);
// The example is copied to other machines, so it offers the modes of a shop that others reach.
const reachable = drawStack({ provider: 'docker', base: 4000, dataDir: '/data' }).processes.find(({ name }) => name === 'gateway-1')!.run;
if (reachable.kind === 'app') told.set('SESSION_MODES', new Set([reachable.app.env['SESSION_MODES']!]));

describe('.env.example', () => {
  it('says the values that a start tells, and else the defaults of the code', () => {
    expect(checkExampleValues(toldByUs, told)).toEqual([]);
    expect(told.get('GUEST_LIMIT_PER_HOUR')).toEqual(new Set(['1000']));
    expect(told.get('EVENT_LOG_FILE')).toContain('.cloakroom/embedded/event-log/events.log');
  });

  it.each([
    ['SESSION_MODES=reference,hybrid', /SESSION_MODES=reference,hybrid: the code has reference,hybrid,jwt-denylist/],
    ['#EVENT_LOG_FILE=.cloakroom/embedded/event-log/events.ndjson', /events\.ndjson: the code has .*events\.log/],
    ['#RATE_LIMIT_PER_10S=200', /RATE_LIMIT_PER_10S=200: the code has 300/],
    ['#SEED_ACCOUNTS=false', /the code has true/],
  ])('is refused where it says %s', (line, message) => {
    const [name] = line.replace('#', '').split('=');
    const wrong = toldByUs.replace(new RegExp(`^#?${name}=.*$`, 'm'), line);
    expect(checkExampleValues(wrong, told).map((violation) => violation.message)).toEqual([expect.stringMatching(message)]);
  });
});

describe('environment variables', () => {
  const files = {
    'apps/cart/src/config.ts': `const schema = z.object({\n  CART_VIEW: z.string(),\n  CART_DEPTH: count.default(3),\n});`,
    'infra/launch/provider.ts': "const a = env['CART_REDIS_URL']; const b = env[`DATABASE_URL_${name}`];",
    'infra/x.test.ts': "const c = env['ONLY_TESTED'];",
    'infra/Dockerfile': 'ARG NODE_IMAGE=node\n',
    [exampleFile]: '#CART_VIEW=redis\n#CART_DEPTH=3\n',
  };
  const named = (text: string, example = files[exampleFile]) =>
    checkEnvironmentNames(plantedTree({ ...files, [exampleFile]: example!, 'A.md': text }), ['A.md']).map(
      ({ path, message }) => `${path} ${message}`,
    );

  it('that a document or .env.example names are read by something that ships', () => {
    expect(
      named('`CART_VIEW=memory`, `CART_REDIS_URL`, `DATABASE_URL_AUTH`, `NODE_IMAGE`, `NOT_FOUND`, and CART_BY in a sentence'),
    ).toEqual([]);
    expect(named('set `CART_WIEV`')).toEqual(['A.md names CART_WIEV, which nothing reads']);
    expect(named('set `ONLY_TESTED`')).toEqual(['A.md names ONLY_TESTED, which nothing reads']);
    expect(named('```\nVERBOSE=1 npm start\n```')).toEqual(['A.md names VERBOSE, which nothing reads']);
    expect(named('', '#CART_VEIW=redis\n')).toEqual([`${exampleFile} names CART_VEIW, which nothing reads`]);
  });

  it('that a config reads are in .env.example', () => {
    expect(checkExampleIsWhole(plantedTree(files))).toEqual([]);
    expect(checkExampleIsWhole(plantedTree({ ...files, [exampleFile]: '#CART_VIEW=redis\n' }))).toEqual([
      { path: 'apps/cart/src/config.ts', message: `reads CART_DEPTH, which ${exampleFile} does not name` },
    ]);
  });
});
