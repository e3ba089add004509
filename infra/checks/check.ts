/** `npm run check`: every house rule, each with its name, its violations and what to do. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { runCommandLine } from '../cli/command-line.ts';
import { acceptContracts, checkPolicies, checkProtobuf, outputOfFailure } from './contracts.ts';
import { checkCommandFlags } from './command-flags.ts';
import { checkCommitSubjects } from './commit-subjects.ts';
import { checkDocumentedCommands } from './documented-commands.ts';
import { checkBarePaths, checkCommentedFiles, checkErrorTable, checkLinks, checkNamedPaths, checkQuotedTests } from './documents.ts';
import { checkEnvironmentNames, checkExampleIsWhole, exampleFile } from './environment-names.ts';
import { checkFolders, checkIndexFiles, checkLintReasons, checkNoSecondTry, checkPlacesOfNest, checkTests } from './habits.ts';
import { checkBoundaries, checkDeclared, checkFolderCircles, checkTags } from './imports.ts';
import { checkMetricTable } from './metric-table.ts';
import { checkPlainEnglish } from './plain-english.ts';
import { checkSecurityTable } from './security-table.ts';
import { checkProjectCircles, checkReferences, readProjects } from './project-graph.ts';
import { checkProjectPicture } from './project-picture.ts';
import { readSources } from './sources.ts';
import { checkPackagePages } from './package-pages.ts';
import { checkPictures } from './pictures.ts';
import { documentsOf, workingTree, type LeftOut, type Violation } from './tree.ts';

const root = join(import.meta.dirname, '../..');

function tool(command: string, ...args: string[]): Violation[] {
  const output = outputOfFailure(join(root, 'node_modules/.bin', command), args, root);
  return output === undefined ? [] : [{ path: command, message: output }];
}

/** Nothing imports a lab, so its list is asked for. */
const attackRows = (): string[] =>
  JSON.parse(execFileSync(process.execPath, [join(root, 'labs/attacks/table.ts')], { encoding: 'utf8' })) as string[];

function rules(): Record<string, () => Violation[] | LeftOut> {
  const tree = workingTree(root);
  const sources = readSources(tree);
  const documents = documentsOf(tree);
  const projects = readProjects(root);
  const settings = [
    exampleFile,
    ...tree.files.filter((path) => /^infra\/(?!checks\/).*(?:\.(?:ya?ml|xml|conf|sh|properties)|Dockerfile)$/.test(path)),
  ];
  return {
    'types of what ships': () => tool('tsc', '-b'),
    'types of tests, infra and e2e': () => tool('tsc', '-p', 'tsconfig.tests.json'),
    'types of the web app': () => tool('tsc', '-p', 'apps/web', '--noEmit'),
    'types of the Observatory and its page': () => [
      ...tool('tsc', '-p', 'apps/observatory/tsconfig.tests.json'),
      ...tool('tsc', '-p', 'apps/observatory/web', '--noEmit'),
    ],
    // Project by project, as nx remembers what was clean. The first rule has built what they need.
    'lint (oxlint, type-aware)': () =>
      tool('nx', 'run-many', '-t', 'lint', '--excludeTaskDependencies', '--outputStyle=static-failures-only'),
    formatting: () => tool('prettier', '--check', '--log-level', 'warn', '.'),
    'every project carries the tag of its layer': () => checkTags(projects),
    'imports point down': () => checkBoundaries(sources, projects),
    'folders import each other in one direction': () => checkFolderCircles(sources),
    'no project depends on itself': () => checkProjectCircles(projects),
    'references of tsconfig.json are the dependencies of package.json': () => checkReferences(projects, tree),
    'imports are declared': () => checkDeclared(sources, tree),
    'a folder holds 25 sources at most': () => checkFolders(sources),
    'a lint rule is switched off with a reason': () => checkLintReasons(sources),
    'index.ts only at a library root': () => checkIndexFiles(sources),
    'parts, lifecycle, rpcs and routes stand where Nest puts them': () => checkPlacesOfNest(sources),
    'tests can fail and do not sleep': () => checkTests(sources),
    'no test is asked again': () => checkNoSecondTry(sources),
    'comments of finished rooms are plain English': () => checkPlainEnglish(sources),
    'subjects of new commits fit 60 characters': () => checkCommitSubjects(root),
    'docs/errors.md is the error table': () => checkErrorTable(tree),
    'docs/telemetry.md lists every metric': () => checkMetricTable(sources, tree),
    'documented commands are run by something': () => checkDocumentedCommands(tree, documents),
    'documented options are in the tables of their commands': () => checkCommandFlags(tree, documents),
    'documented environment variables are read by something': () => checkEnvironmentNames(tree, documents),
    '.env.example names all that a config reads': () => checkExampleIsWhole(tree),
    'documents name what exists': () => checkNamedPaths(tree, documents),
    'comments name files that exist': () =>
      checkCommentedFiles(
        tree,
        sources.map(({ path }) => path),
      ),
    'links of documents lead somewhere': () => checkLinks(tree, documents),
    'each package has a page of at most 40 lines': () => checkPackagePages(tree),
    'pictures are made from the text that stands in the document': () => checkPictures(tree, documents),
    'the picture of the projects is nx graph': () => checkProjectPicture(projects, tree),
    'settings and manifests name what exists': () => checkBarePaths(tree, settings),
    'docs/failures.md quotes tests that exist': () => checkQuotedTests(tree, 'docs/failures.md'),
    'docs/security.md names tests that exist, for every requirement and attack': () => checkSecurityTable(tree, attackRows()),
    'contracts: lint, baseline, generated': () => checkProtobuf(root),
    'contracts: policies': () => checkPolicies(root),
  };
}

const help = `npm run check                        every house rule
npm run check -- --accept-contracts  make today's contracts the baseline`;

await runCommandLine({ help, options: { 'accept-contracts': { type: 'boolean' } } }, (values) => {
  if (values['accept-contracts'] === true) {
    acceptContracts(root);
    return 0;
  }
  let failed = 0;
  for (const [name, rule] of Object.entries(rules())) {
    const verdict = rule();
    const violations = 'leftOut' in verdict ? [] : verdict;
    console.log(`${violations.length === 0 ? 'ok  ' : 'FAIL'} ${name}${'leftOut' in verdict ? ` (left out: ${verdict.leftOut})` : ''}`);
    for (const { path, line, message } of violations) console.log(`     ${path}${line === undefined ? '' : `:${line}`} ${message}`);
    if (violations.length > 0) failed++;
  }
  console.log(failed === 0 ? 'check: every rule holds' : `check: ${failed} rule${failed === 1 ? '' : 's'} broken`);
  return failed === 0 ? 0 : 1;
});
