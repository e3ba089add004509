/** npm run exercise -- <name>: anti-patterns, labelled as such. They run only on request. */
import { oneOf, runCommandLine, UsageError } from '../../infra/cli/command-line.ts';
import { untilToldToEnd } from '../../infra/cli/until-told-to-end.ts';
import { cartModels, describeCart, exerciseCart, openShop, type CartModelName } from './exercise-cart.ts';
import { compareSticky, describeSticky } from './sticky.ts';

const help = `npm run exercise -- sticky               the cost of sessions in the memory of each replica, behind an affinity cookie
npm run exercise -- cart                 five wrong carts and the right one, each in a separate shop, judged by the checker
npm run exercise -- cart --model NAME    one of them: ${cartModels.join(', ')}
npm run exercise -- cart --model NAME --stay    no scene is played: its shop stays open for you until Ctrl-C`;
/** A run takes some seconds on a laptop, and chance does not decide the result. */
const people = 120;
const print = (line: string) => void process.stdout.write(`${line}\n`);

const options = { model: { type: 'string' }, stay: { type: 'boolean', default: false } } as const;

await runCommandLine({ help, options, wordCountMax: 1 }, async ({ model, stay }, [name]) => {
  if (name === undefined) return (print(help), 0);
  if (oneOf('exercise', name, ['sticky', 'cart']) === 'sticky') return (print(describeSticky(await compareSticky(people))), 0);
  const chosen = model === undefined || model === 'all' ? cartModels : [oneOf('--model', model, cartModels)];
  if (!stay) return lookAtCarts(chosen);
  if (chosen.length > 1) throw new UsageError('--stay opens one shop: say --model as well');
  return stayOpen(chosen[0]!);
});

/** @returns 1 where a wrong cart was not caught, or the right one was reported */
async function lookAtCarts(chosen: readonly CartModelName[]): Promise<number> {
  let code = 0;
  for (const model of chosen) {
    print(`\n${model === 'dots' ? 'The cart of this shop' : 'Exercise, an anti-pattern'}: ${model}`);
    const caught = await exerciseCart(model, print);
    print(`\n${describeCart(model, caught)}`);
    if ((caught.length === 0) !== (model === 'dots')) code = 1;
  }
  print('\nWhat it shows and why: docs/exercises/cart.md');
  return code;
}

/** Keeps a shop open, to try it in a browser. */
async function stayOpen(model: CartModelName): Promise<number> {
  const ending = untilToldToEnd(print);
  print(model === 'dots' ? 'The cart of this shop' : `EXERCISE: this shop loses things on purpose: ${model}`);
  try {
    const shop = await openShop(model, 'info');
    print(`${shop.gateways.join(' and ')}, until Ctrl-C`);
    await ending.told;
    await shop.stop();
    print('Stopped.');
    return 0;
  } finally {
    ending.forget();
  }
}
