/**
 * Tells another process about the labs, one JSON value on standard output: `list`, `lab NAME`, `findings NAME`, `predict NAME ANSWER`. The Observatory
 * starts it; `npm run lab` is the same for a person. `predict` keeps the answer. Exit code 2: no such lab, or no such answer, with words on standard error.
 */
import { UsageError } from '../../infra/cli/command-line.ts';
import { keepPrediction } from '../runner/keep.ts';
import { readAnswer } from '../runner/predict.ts';
import { findLab, labs, type Listed } from './list.ts';
import { findingsView, labView, listedView } from './views.ts';

const [what, name = '', answer = ''] = process.argv.slice(2);
try {
  process.stdout.write(`${JSON.stringify(await told())}\n`);
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  process.stderr.write(`${error instanceof UsageError ? error.message : String(error)}\n`);
}

async function told(): Promise<unknown> {
  if (what === 'list') return Promise.all(labs.map(listedView));
  if (what === 'lab') return labView(listed());
  if (what === 'findings') return findingsView(await findLab(name));
  if (what !== 'predict') throw new Error('list, lab, findings or predict is asked for');
  keepPrediction(name, readAnswer((await findLab(name)).prediction, answer));
  return labView(listed());
}

/** @throws UsageError */
function listed(): Listed {
  const found = labs.find((one) => one.name === name);
  if (found === undefined) throw new UsageError(`There is no lab ${name}.`);
  return found;
}
