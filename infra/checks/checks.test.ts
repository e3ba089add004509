import { forgetful } from './checks.fixture.ts';
import { describe, expect, it } from 'vitest';
import { policySnapshot, services } from './contracts.ts';
import { checkCommandFlags } from './command-flags.ts';
import { checkDocumentedCommands } from './documented-commands.ts';
import { checkBarePaths, checkCommentedFiles, checkErrorTable, checkLinks, checkNamedPaths, checkQuotedTests } from './documents.ts';
import { checkFolders, checkIndexFiles, checkLintReasons, checkNoSecondTry, checkPlacesOfNest, checkTests } from './habits.ts';
import { checkBoundaries, checkDeclared, checkFolderCircles, checkTags } from './imports.ts';
import { checkProjectCircles, checkReferences, type Project } from './project-graph.ts';
import { readSources } from './sources.ts';
import { plantedTree } from './tree.ts';

const manifests = {
  'package.json': '{"devDependencies":{"vitest":"1"}}',
  'apps/cart/package.json': '{"dependencies":{"zod":"1","@cloakroom/contracts":"1"}}',
  'apps/auth/package.json': '{}',
  'apps/web/package.json': '{}',
  'libs/platform/package.json': '{}',
  'infra/package.json': '{}',
  'labs/package.json': '{}',
};
const plant = (files: Record<string, string>) => readSources(plantedTree({ 'labs/chaos/chaos.ts': '', ...manifests, ...files }));
const messages = (violations: readonly { message: string }[]) => violations.map(({ message }) => message);

const project = (root: string, tags: readonly string[], dependencies: readonly string[] = []): Project => ({
  name: `@cloakroom/${root.split('/').at(-1)}`,
  root,
  tags: ['npm:private', ...tags],
  dependencies: dependencies.map((name) => `@cloakroom/${name}`),
});
const projects = [
  ...['contracts', 'platform', 'session', 'testing'].map((name) => project(`libs/${name}`, [`layer:${name}`])),
  project('apps/auth', ['layer:app', 'holds:session']),
  project('apps/cart', ['layer:app']),
  project('apps/web', ['layer:page']),
  ...['infra', 'e2e', 'labs'].map((name) => project(name, [`layer:${name}`])),
];

describe('imports point down', () => {
  it.each([
    ['apps/cart/src/a.ts', `import { x } from '@cloakroom/auth';`, /apps meet only on the wire/],
    ['apps/cart/src/a.ts', `import { x } from '@cloakroom/session';`, /must not import @cloakroom\/session/],
    ['apps/cart/src/a.ts', `import { x } from '@cloakroom/platform/src/log.ts';`, /inside/],
    ['apps/cart/src/a.ts', `import type { x } from '@cloakroom/testing';`, /must not import @cloakroom\/testing/],
    ['libs/platform/src/a.ts', `export * from '@cloakroom/session';`, /must not import/],
    ['apps/web/src/a.ts', `import type { x } from '@cloakroom/contracts';`, /must not import @cloakroom\/contracts/],
    ['apps/web/src/a.ts', `import { x } from '@cloakroom/contracts/http';`, /inside/],
    ['apps/web/src/a.ts', `import { x } from '@cloakroom/contracts/trainee';`, /must not import @cloakroom\/contracts/],
    ['apps/web/src/a.ts', `import { x } from '@cloakroom/platform/process-life';`, /must not import @cloakroom\/platform/],
    ['infra/supervisor/supervisor.ts', `await import('@cloakroom/cart');`, /must not import @cloakroom\/cart/],
    ['infra/cli/tools.ts', `import { chaos } from '../../labs/chaos/chaos.ts';`, /nothing but a lab does/],
    ['e2e/carts/a.e2e.ts', `await import('@cloakroom/labs');`, /nothing but a lab does/],
    ['libs/platform/example/a.ts', `import '@cloakroom/session';`, /must not import/],
    ['libs/platform/src/a.ts', `import '@cloakroom/platform';`, /must not import/],
  ])('refuses in %s: %s', (path, text, message) => {
    expect(messages(checkBoundaries(plant({ [path]: text }), projects))).toEqual([expect.stringMatching(message)]);
  });

  it('refuses a relative path into another package', () => {
    const sources = plant({
      'apps/cart/src/a.ts': `import { x } from '../../auth/src/b.ts';`,
      'apps/auth/src/b.ts': 'export const x = 1;',
    });
    expect(messages(checkBoundaries(sources, projects))).toEqual([expect.stringMatching(/reaches into apps\/auth\/src\/b.ts/)]);
  });

  it('allows what the rule allows', () => {
    const sources = plant({
      'apps/cart/src/a.ts': `import '@cloakroom/contracts'; import './b.ts';`,
      'apps/cart/src/b.ts': `import type { x } from '@cloakroom/contracts/http';`,
      'apps/web/src/a.ts': `import type { x } from '@cloakroom/contracts/http';`,
      'apps/cart/src/a.test.ts': `import '@cloakroom/testing';`,
      'apps/auth/src/b.ts': `import { x } from '@cloakroom/contracts/trainee';`,
      'apps/cart/src/c.ts': `import '@cloakroom/platform/process-life';`,
      'apps/auth/src/a.ts': `import '@cloakroom/session';`,
      'infra/embedded.ts': `import '@cloakroom/cart';`,
      'libs/platform/example/a.ts': `import '@cloakroom/platform';`,
      'labs/chaos/chaos.ts': `import '@cloakroom/cart'; import '../../infra/embedded.ts';`,
    });
    expect(checkBoundaries(sources, projects)).toEqual([]);
  });

  it('refuses a project without a layer, with two, or with a tag that the rule does not know', () => {
    expect(checkTags(projects)).toEqual([]);
    const told = checkTags([project('apps/a', []), project('apps/b', ['layer:app', 'layer:page']), project('apps/c', ['layer:shop'])]);
    expect(told.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringMatching(/^apps\/a\/package.json: has 0 tags/),
      expect.stringMatching(/^apps\/b\/package.json: has 2 tags/),
      expect.stringMatching(/^apps\/c\/package.json: the tag layer:shop is not in the rule/),
    ]);
  });
});

it('refuses folders that import each other, types too, but lets a parent put its parts together', () => {
  const circle = plant({
    'apps/cart/src/a/x.ts': `import type { Y } from '../b/y.ts';`,
    'apps/cart/src/b/y.ts': `import '../c/z.ts';`,
    'apps/cart/src/c/z.ts': `import '../a/w.ts';`,
    'apps/cart/src/a/w.ts': '',
  });
  expect(messages(checkFolderCircles(circle))).toEqual([
    'folders in a circle: apps/cart/src/a -> apps/cart/src/b -> apps/cart/src/c -> apps/cart/src/a, by apps/cart/src/a/x.ts, apps/cart/src/b/y.ts, apps/cart/src/c/z.ts',
  ]);
  const tree = plant({
    'apps/cart/src/start.ts': `import './a/x.ts';`,
    'apps/cart/src/a/x.ts': `import '../config.ts'; import '../b/y.ts';`,
    'apps/cart/src/b/y.ts': '',
    'apps/cart/src/b/y.test.ts': `import '../a/x.ts';`,
    'apps/cart/src/config.ts': '',
  });
  expect(checkFolderCircles(tree)).toEqual([]);
});

it('refuses a lib below the test kits that depends on them, and every other circle of projects', () => {
  const kits = project('libs/testing', [], ['platform']);
  const below = (...dependencies: string[]) => [
    kits,
    project('libs/platform', [], ['contracts']),
    project('libs/contracts', [], dependencies),
  ];
  expect(messages(checkProjectCircles(below('testing')))).toContainEqual(
    'in a circle: @cloakroom/contracts -> @cloakroom/testing -> @cloakroom/platform -> @cloakroom/contracts. Tests that need both live in libs/testing',
  );
  expect(checkProjectCircles([...below('testing'), project('libs/session', [], ['testing'])]).map(({ path }) => path)).toEqual(
    ['testing', 'platform', 'contracts'].map((name) => `libs/${name}/package.json`),
  );
  expect(checkProjectCircles([...below(), project('libs/session', [], ['testing'])])).toEqual([]);
});

it('refuses references of tsconfig.json that are not the dependencies of package.json', () => {
  const references = (...paths: string[]) => JSON.stringify({ references: paths.map((path) => ({ path })) });
  const check = (changes: Record<string, string>) =>
    checkReferences(
      projects,
      plantedTree({
        'tsconfig.json': references('libs/contracts', 'libs/session', 'apps/auth'),
        'libs/contracts/package.json': '{}',
        'libs/contracts/tsconfig.json': references(),
        'libs/session/package.json': '{"dependencies":{"@cloakroom/contracts":"1","ioredis":"1"}}',
        'libs/session/tsconfig.json': references('../contracts'),
        'apps/auth/package.json': '{"dependencies":{"@cloakroom/session":"1"},"devDependencies":{"@cloakroom/contracts":"1"}}',
        'apps/auth/tsconfig.json': references('../../libs/session'),
        'apps/web/tsconfig.json': '{}',
        ...changes,
      }),
    ).map(({ path, message }) => `${path} ${message}`);
  expect(check({})).toEqual([]);
  expect(check({ 'apps/auth/tsconfig.json': references('../../libs/contracts') })).toEqual([
    'apps/auth/tsconfig.json has no reference to libs/session, named by apps/auth/package.json',
    'apps/auth/tsconfig.json refers to libs/contracts, not named by apps/auth/package.json',
  ]);
  expect(check({ 'tsconfig.json': references('libs/contracts', 'libs/session') })).toEqual([
    'tsconfig.json has no reference to apps/auth, named by the projects that are built',
  ]);
});

it('refuses an import that package.json does not declare', () => {
  const files = {
    ...manifests,
    'apps/cart/src/a.ts': `import 'zod'; import 'node:fs'; import { x } from 'left-pad/deep';`,
    'apps/cart/src/a.test.ts': `import 'vitest';`,
    'apps/cart/src/b.ts': `import 'vitest';`,
  };
  expect(checkDeclared(readSources(plantedTree(files)), plantedTree(files)).map(({ path, message }) => [path, message])).toEqual([
    ['apps/cart/src/a.ts', 'left-pad is not declared in apps/cart/package.json'],
    ['apps/cart/src/b.ts', 'vitest is not declared in apps/cart/package.json'],
  ]);
});

it('refuses a folder of more than 25 sources, and names it', () => {
  const folder = (count: number) => ({
    ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`apps/cart/src/a/s${index}.ts`, ''])),
    'apps/cart/src/a/s.test.ts': '',
    'apps/cart/src/a/s.fixture.ts': '',
    'apps/cart/src/a/s.harness.ts': '',
    'apps/cart/src/a/s.contract.ts': '',
    'apps/cart/src/a/b/inside.ts': '',
  });
  expect(checkFolders(plant(folder(25)))).toEqual([]);
  expect(checkFolders(plant(folder(26)))).toEqual([
    { path: 'apps/cart/src/a', message: expect.stringMatching(/a folder of 26 sources/) as string },
  ]);
});

it.each([
  ['// oxlint-disable-next-line no-console', 1],
  ['/* eslint-disable */', 1],
  ['// oxlint-disable-next-line no-console -- a command says what it does', 0],
])('refuses to leave a lint rule out without a reason: %s', (text, count) => {
  expect(checkLintReasons(plant({ 'apps/cart/src/a.ts': `${text}\nconsole.log(1);` }))).toHaveLength(count);
});

it.each([`it.only('x', () => {});`, `describe.skip('x', () => {});`, `expect(true).toBe(true);`, `await setTimeout(50);`])(
  'refuses in a test: %s',
  (text) => {
    expect(checkTests(plant({ 'apps/cart/src/a.test.ts': text }))).toHaveLength(1);
  },
);

it.each([
  ['apps/cart/src/a.test.ts', `it('adds', { retry: 2 }, () => expect(1).toBe(1));`],
  ['e2e/playwright.config.ts', `export default { retries: 1 };`],
  ['infra/testing/test.suites.ts', `run('vitest', ['--retry=1']);`],
])('refuses in %s a test that is asked again', (path, text) => {
  expect(messages(checkNoSecondTry(plant({ [path]: text })))).toEqual([expect.stringMatching(/find the cause/)]);
  expect(checkNoSecondTry(plant({ [path]: `export default { retries: 0 };` }))).toEqual([]);
});

it('refuses an index.ts inside', () => {
  expect(checkIndexFiles(plant({ 'apps/cart/src/index.ts': '', 'libs/platform/src/index.ts': '' })).map(({ path }) => path)).toEqual([
    'apps/cart/src/index.ts',
  ]);
});

it.each([
  ['a part pulled out of the container', 'const cart = app.get(CartParts);', /inject/],
  ['a lifecycle by hand', "process.on('SIGTERM', () => cart.stop());", /onApplicationShutdown/],
  ['hooks that stop parts before the transport', 'app.enableShutdownHooks();', /onApplicationShutdown/],
  ['an rpc without a controller', 'server.addService(definition, { addItem });', /@Rpc/],
  ['a route without a controller', "server.post('/api/cart/lines', addLine);", /policy/],
])('refuses %s in the product, and nowhere else', (_what, text, told) => {
  expect(messages(checkPlacesOfNest(plant({ 'apps/cart/src/a.ts': text })))).toEqual([expect.stringMatching(told)]);
  expect(checkPlacesOfNest(plant({ 'apps/cart/src/a.test.ts': text, 'labs/bench/a.ts': text }))).toEqual([]);
});

describe('documents', () => {
  const table = { gone: { grpc: 'NOT_FOUND', http: 404, text: 'It is gone.' } };
  const errors = (row: string) =>
    messages(checkErrorTable(plantedTree({ 'docs/errors.md': `| code | HTTP | gRPC | text |\n|---|---|---|---|\n${row}` }), table));
  it('refuses a row that differs, misses or is too many', () => {
    expect(errors('| `gone` | 404 | `NOT_FOUND` | It is gone. |')).toEqual([]);
    expect(errors('| `gone` | 410 | `NOT_FOUND` | It is gone. |')).toEqual([expect.stringMatching(/must read/)]);
    expect(errors('')).toEqual([expect.stringMatching(/no row/)]);
    expect(errors('| `gone` | 404 | `NOT_FOUND` | It is gone. |\n| `more` | 400 | `INTERNAL` | x |')).toEqual([
      expect.stringMatching(/not in the error table/),
    ]);
  });
  it('refuses a path that does not exist', () => {
    const tree = plantedTree({
      'A.md': 'see `apps/cart/src/commands/add-item.ts`, `apps/cart/`, `libs/*/src`, `apps/nowhere/x.ts`, `prove.gone.ts` and `nx.json`',
      'apps/cart/src/commands/add-item.ts': '',
      'libs/x/src/y.ts': '',
      'nx.json': '',
    });
    expect(messages(checkNamedPaths(tree, ['A.md', 'B.md']))).toEqual([
      'names apps/nowhere/x.ts, which does not exist',
      'names prove.gone.ts, which does not exist',
      'is missing',
    ]);
  });
  it('refuses a comment that names a file which does not exist', () => {
    const text = "/** See b.ts, src/b.ts and gone.ts. */\nimport './other.ts';\n // ../b.ts, apps/cart/src/b.ts, src/cart.old.ts";
    const tree = plantedTree({ 'apps/cart/src/a.ts': text, 'apps/cart/src/b.ts': '' });
    expect(messages(checkCommentedFiles(tree, ['apps/cart/src/a.ts']))).toEqual([
      'a comment names gone.ts, which does not exist',
      'a comment names src/cart.old.ts, which does not exist',
    ]);
  });
  it('refuses a link, and a path in settings, that leads nowhere', () => {
    const tree = plantedTree({
      'docs/a.md': 'see [b](b.md), [c](../README.md#top), [d](https://example.com/x.md), [e](images/) and [gone](gone.md)',
      'docs/b.md': '',
      'docs/images/x.png': '',
      'README.md': '',
      '.env.example': '# docs/b.md has more, infra/nowhere.ts has none\nWEB_DIR=apps/web/dist\n# postgres://a@b/docs/x.md',
    });
    expect(messages(checkLinks(tree, ['docs/a.md']))).toEqual(['links to docs/gone.md, which does not exist']);
    expect(messages(checkBarePaths(tree, ['.env.example']))).toEqual(['names infra/nowhere.ts, which does not exist']);
  });
  it('quote tests by their titles, whole or by their beginning', () => {
    const tree = plantedTree({
      'F.md':
        '| a "word" and more between, "auth is gone" | "works though the log is away" | "works though the ..." and "works while the log is away" |',
      'a.test.ts': "it('works though the log is away', () => {});",
    });
    expect(messages(checkQuotedTests(tree, 'F.md'))).toEqual(['quotes "works while the log is away", which no test is called']);
  });
});

describe('documented commands', () => {
  const known = [{ command: 'npm run x', provenBy: 'x.test.ts', showing: "run('x')" }];
  const check = (text: string, proof = "run('x')") =>
    messages(checkDocumentedCommands(plantedTree({ 'A.md': text, 'x.test.ts': proof }), ['A.md'], known));
  it('refuses a command that nothing runs, in a block or in a line', () => {
    expect(check('```\nnpm run x -- --deep  # why\n```\nand `npm run x`')).toEqual([]);
    expect(check('```\nnpm run y\n```')).toEqual([expect.stringMatching(/`npm run y` is run by nothing/)]);
    expect(check('try `docker compose up`')).toHaveLength(1);
  });
  it('refuses a proof that is gone', () => expect(check('', 'nothing')).toEqual([expect.stringMatching(/does not run/)]));

  it('counts neither a --help nor a file that no suite runs', () => {
    const tree = plantedTree({ 'A.md': '', 'x.test.ts': "run('x', '--help')", 'infra/x.ts': "run('x')" });
    const judged = (one: { provenBy: string; showing: string }, command = 'npm run x') =>
      messages(checkDocumentedCommands(tree, ['A.md'], [{ command, ...one }]));
    expect(judged({ provenBy: 'x.test.ts', showing: "'x', '--help'" })).toEqual([expect.stringMatching(/is no run of `npm run x`/)]);
    expect(judged({ provenBy: 'x.test.ts', showing: "'x', '--help'" }, 'npm run x -- --help')).toEqual([]);
    expect(judged({ provenBy: 'infra/x.ts', showing: "run('x')" })).toEqual([expect.stringMatching(/is no run of/)]);
    expect(messages(checkDocumentedCommands(tree, ['A.md'], [{ command: 'npm run x', byHand: 'it takes a day' }]))).toEqual([]);
  });
});

describe('documented options', () => {
  const files = {
    'infra/cli.ts': `
      const whichShop = new Option('--port-base <port>', 'which shop');
      program.command('start').option('-f, --fresh', 'x').addOption(new Option('--infra <provider>', 'y'));
      const cart = program.command('cart');
      cart.command('history').option('--json', 'z').addOption(whichShop);`,
    'infra/cli/tools.ts':
      "const scripts = {\n  chaos: 'labs/chaos/chaos.ts',\n  bench: 'labs/bench/bench.ts',\n  drill: 'infra/drill.ts',\n} as const;",
    'labs/chaos/chaos.ts': "const options = {\n  seed: { type: 'string' },\n} as const;\nawait runCommandLine({ help, options }, chaos);",
    'labs/bench/bench.ts': "import { table } from './reported.ts';\nawait runCommandLine({ help, options: table, wordCountMax: 1 }, run);",
    'labs/bench/reported.ts': "export const table = { 'store-rtt': { type: 'string' } } as const;",
    'infra/drill.ts': "await runCommandLine({ help, options: { sessions: { type: 'string' } } }, run);",
    'apps/cart/src/redrive.main.ts': "parseArgs({ options: { 'dry-run': { type: 'boolean' } } })",
  };
  const check = (text: string) => messages(checkCommandFlags(plantedTree({ ...files, 'A.md': text }), ['A.md']));

  it('that the command takes are let pass, wherever its table is', () => {
    const good = [
      'npm start -- --fresh --infra native',
      'npm run cart -- history u_1 --json --port-base 5000',
      'npm run chaos -- --seed 7',
      'npm run bench -- edge --store-rtt 1',
      'npm run drill -- fire --sessions 3',
      'npm run chaos -- --help',
      'node apps/cart/dist/redrive.main.js --dry-run',
    ];
    expect(check(`\`\`\`\n${good.join('\n')}\n\`\`\`\nand \`--json\` or \`--seed 9\``)).toEqual([]);
  });
  it.each([
    ['`npm start -- --json`', /start has no --json/],
    ['```\nnpm run chaos -- --seed 7 --sed 8\n```', /chaos has no --sed/],
    ['`npm run cart -- history u_1 --fresh`', /cart has no --fresh/],
    ['`npm run bench -- edge --seconds 2`', /bench has no --seconds/],
    ['`npm run drill -- fire --seed 7`', /drill has no --seed/],
    ['`npm run chess`', /there is no command chess/],
    ['`node apps/cart/dist/redrive.main.js --all`', /redrive\.main\.js has no --all/],
    ['`node apps/cart/dist/gone.main.js`', /is built of nothing/],
    ['with `--quiet`', /names --quiet, which no command takes/],
  ])('that it does not take are refused: %s', (text, message) => expect(check(text)).toEqual([expect.stringMatching(message)]));
});

describe('policies', () => {
  it('states one for each rpc', () => expect(policySnapshot(services).violations).toEqual([]));
  it('refuses an rpc without one', () =>
    expect(messages(policySnapshot([forgetful]).violations)).toContain('planted.Planted/Ping states no policy'));
});
