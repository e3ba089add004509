/** npm run exercise -- <name>: anti-patterns, labelled as such, off unless asked for. */
import { oneOf, runCommandLine } from '../../infra/cli/command-line.ts';
import { cartModels, describeCart, exerciseCart, type CartModelName } from './exercise-cart.ts';
import { compareSticky, describeSticky } from './sticky.ts';

const help = `npm run exercise -- sticky               sessions in the memory of each replica, behind an affinity cookie: what that costs
npm run exercise -- cart                 five wrong carts and the right one, each in a shop of its own, judged by the checker
npm run exercise -- cart --model NAME    one of them: ${cartModels.join(', ')}`;
/** Some seconds on a laptop, and enough that chance does not decide. */
const people = 120;
const print = (line: string) => void process.stdout.write(`${line}\n`);

await runCommandLine({ help, options: { model: { type: 'string' } }, wordCountMax: 1 }, async ({ model }, [name]) => {
  if (name === undefined) return (print(help), 0);
  if (oneOf('exercise', name, ['sticky', 'cart']) === 'sticky') return (print(describeSticky(await compareSticky(people))), 0);
  return lookAtCarts(model === undefined || model === 'all' ? cartModels : [oneOf('--model', model, cartModels)]);
});

/** @returns 1 where a wrong cart was not caught, or the right one was */
async function lookAtCarts(chosen: readonly CartModelName[]): Promise<number> {
  let code = 0;
  for (const model of chosen) {
    print(`\n${model === 'dots' ? 'The cart of this shop' : 'Exercise, an anti-pattern'}: CART_MODEL=${model}`);
    const caught = await exerciseCart(model, print);
    print(`\n${describeCart(model, caught)}`);
    if ((caught.length === 0) !== (model === 'dots')) code = 1;
  }
  print('\nWhat it shows and why: docs/exercises/cart.md');
  return code;
}
