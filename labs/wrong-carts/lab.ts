import type { Lab, Statement } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { wrongModels, type WrongModel } from './model.ts';
import { type Caught, cartModels, type CartModelName, describeCaught, openShop, playScenes, sceneOf } from './play.ts';
import { sceneNames } from './scenes.ts';

const lost = 'lost';
const back = 'come back';
const doubled = 'doubled';
const wrong = 'anything wrong';

const says: Readonly<Record<CartModelName, string>> = {
  dots: 'the cart of this shop: each command is a dot, and a removal names the dots that it saw',
  lww: 'a row for each line; of two writes the later one stands',
  'read-modify-write': 'the whole cart is read, changed and put back',
  union: 'where two versions meet, everything that either has is kept',
  'overwrite-merge': 'at sign-in the guest’s line takes the place of the user’s',
  'sum-merge': 'at sign-in the quantities are added up',
};

const wrongIn = (model: WrongModel): Statement => ({
  says: `"${says[model]}" loses, brings back or doubles something`,
  quantity: wrong,
  of: model,
  against: 'dots',
  as: 'difference',
  above: 0.5,
  margin: 0.5,
  found: 'holds',
  inQuick: 'held',
});

const count = (caught: readonly Caught[], ...kinds: readonly string[]): number =>
  caught.filter(({ anomaly }) => kinds.includes(anomaly.kind)).length;

export const lab: Lab = {
  name: 'wrong-carts',
  claim: 'the last writer wins, and nothing is lost',
  question:
    'Two devices of one person change a cart at the same moment, a page is old, a guest signs in, the service is killed. Which carts survive that?',
  needs: 'node',
  rounds: { quick: 1, full: 1 },
  prediction: {
    kind: 'choice',
    asks: 'Each write is acknowledged, and of two writes to one line the later one stands. Two devices add one mug each, six times, at the same moment. What can be missing afterwards?',
    choices: { a: 'nothing: each add was acknowledged', b: 'some of the mugs', c: 'the whole line' },
    right: 'b',
  },
  dials: { scene: { value: 0, min: 0, max: sceneNames.length, unit: '', says: `0: all; or one of ${sceneNames.join(', ')}, from 1` } },
  arms: cartModels.map((name) => ({ name, says: says[name] })),
  control: 'dots',
  quantities: {
    [lost]: { unit: '', says: 'acknowledged commands that are not in the cart, though nothing that had seen them removed them' },
    [back]: { unit: '', says: 'dots that were removed and are there' },
    [doubled]: { unit: '', says: 'lines that show more than their commands make' },
    [wrong]: { unit: '', says: 'all of these' },
  },
  statements: [
    {
      says: 'where the last writer wins, no more is lost than with dots',
      quantity: lost,
      of: 'dots',
      against: 'lww',
      as: 'difference',
      above: -0.5,
      margin: 0.5,
      found: 'does not hold',
      inQuick: 'held',
    },
    ...wrongModels.filter((model) => model !== 'lww').map(wrongIn),
  ],
  figure: (result) => ({
    title: 'What each cart lost, brought back or doubled',
    mark: 'bar',
    x: { field: 'count', title: 'findings of the checker', type: 'quantitative' },
    y: { field: 'cart', title: '', type: 'nominal' },
    series: 'what',
    points: cartModels.flatMap((cart) => [lost, back, doubled].map((what) => ({ cart, what, count: middleOf(result, cart, what) }))),
  }),
  exercise: {
    task: 'One scene alone, for all carts: a person has three mugs in the cart, puts one in as a guest on the phone, and signs in there.',
    set: { scene: sceneNames.indexOf('sign-in') + 1 },
    asks: 'How many of the five wrong carts end with another number than four?',
    unit: 'carts',
    answer: (result) => wrongModels.filter((model) => middleOf(result, model, wrong) > 0).length,
    withinPart: 0,
    withinAtLeast: 0,
    why: 'The table shows which. A wrong cart is not wrong everywhere: each breaks only where its own shortcut meets another device, an old page or a crash. So a demo of any of them works, and so do most of its tests.',
  },
  async open({ quick, dials, base, say }) {
    const only = sceneNames[dials['scene']! - 1];
    const stories = new Map<string, string>();
    return {
      async measure(arm) {
        const model = arm as CartModelName;
        const played = only !== undefined ? [only] : quick && model !== 'dots' ? [sceneOf[model]] : sceneNames;
        say(`${model} plays ${played.join(', ')}`);
        const caught = await playScenes(model, played, base);
        const story = describeCaught(caught);
        if (story !== undefined) stories.set(model, story);
        const found = { [lost]: count(caught, 'lost'), [back]: count(caught, 'resurrected'), [doubled]: count(caught, 'doubled') };
        return { ...found, [wrong]: caught.filter(({ anomaly }) => anomaly.kind !== 'not-converged').length };
      },
      story: (arm) => stories.get(arm),
      close: async () => undefined,
    };
  },
  async stay(arm, base) {
    const shop = await openShop(arm as CartModelName, base, 'info');
    const warning = arm === 'dots' ? 'The cart of this shop' : `THIS SHOP LOSES THINGS ON PURPOSE: ${arm}`;
    return { says: `${warning}\n${shop.gateways.join(' and ')}`, stop: () => shop.stop() };
  },
};
