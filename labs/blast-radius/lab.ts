import { type FailureColumn, failureColumns, failureOperations } from '@cloakroom/contracts';
import { testBases } from '../../infra/stack/test-bases.ts';
import type { Lab, Result } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { openProbes, type Probed } from './probes.ts';
import { type Form, openShop, type Part, type Shop } from './shops.ts';

const failed = 'fail';
const predicted = 'predicted';
const different = 'not as predicted';

const sessionsGone = 'apart, sessions gone';
const oneGone = 'together, the one gone';
const cartsGone = 'apart, carts gone';

const arms: Readonly<Record<string, { readonly form: Form; readonly gone: readonly Part[]; readonly says: string }>> = {
  [sessionsGone]: { form: 'apart', gone: ['redis-sessions'], says: 'a Redis each, and that of the sessions is cut off' },
  [oneGone]: { form: 'together', gone: ['redis-sessions', 'redis-carts'], says: 'one Redis holds sessions and carts, and is cut off' },
  [cartsGone]: { form: 'apart', gone: ['redis-carts'], says: 'a Redis each, and that of the carts is cut off' },
};

/** A phone is narrow. */
const shortOf: Readonly<Record<string, string>> = {
  [sessionsGone]: 'of sessions',
  [oneGone]: 'of both in one',
  [cartsGone]: 'of carts',
};

/** Everybody of `people`: 0 stands for a person of each column. */
const columns = Object.keys(failureColumns) as FailureColumn[];

export const lab: Lab = {
  name: 'blast-radius',
  claim: 'one Redis is enough',
  question:
    'Sessions and carts can share one Redis, or have one each. What part of what people do fails when a Redis is gone, and can it be told beforehand?',
  needs: 'native',
  rounds: { quick: 1, full: 5 },
  prediction: {
    kind: 'choice',
    asks: 'With a Redis each, about a fifth of all operations fails while the one of the carts is gone: carts are not read, and nothing is ordered. What part fails if that Redis holds the sessions too?',
    choices: { a: 'about a fifth, as before: sessions are cached', b: 'about a third', c: 'more than half' },
    right: 'c',
  },
  dials: {
    people: {
      value: 0,
      min: 0,
      max: columns.length,
      unit: '',
      says: `0: a person of each kind; 1: ${columns.map((column) => failureColumns[column]).join('; or from 2 on: ')}`,
    },
  },
  arms: Object.entries(arms).map(([name, { says }]) => ({ name, says })),
  control: cartsGone,
  quantities: {
    [failed]: { unit: '%', says: 'operations that were refused, of all that were tried' },
    [predicted]: { unit: '%', says: 'operations of which the failure matrix says that they are' },
    [different]: { unit: '', says: 'operations that did something else than the matrix says' },
  },
  statements: [
    {
      says: 'the loss of the Redis with the carts costs no more where it holds the sessions too',
      quantity: failed,
      of: cartsGone,
      against: oneGone,
      as: 'difference',
      above: -20,
      margin: 10,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'the loss of the one Redis costs more than the loss of the sessions’ own',
      quantity: failed,
      of: oneGone,
      against: sessionsGone,
      as: 'difference',
      above: 2,
      margin: 4,
      found: 'holds',
      inQuick: 'shown',
    },
  ],
  figure: (result) => ({
    title: 'Operations that fail while a Redis is gone',
    mark: 'bar',
    x: { field: 'percent', title: 'per cent of the operations', type: 'quantitative' },
    y: { field: 'gone', title: '', type: 'nominal' },
    series: 'what',
    points: Object.keys(arms).flatMap((arm) => [
      { gone: shortOf[arm]!, what: 'as predicted', percent: middleOf(result, arm, predicted) },
      { gone: shortOf[arm]!, what: 'as seen', percent: middleOf(result, arm, failed) },
    ]),
  }),
  exercise: {
    task: 'Everybody has a session of mode reference: each request asks the store who it is, and no gateway remembers it.',
    set: { people: columns.indexOf('none') + 1 },
    asks: 'What part of the operations fails now while the sessions’ own Redis is gone?',
    unit: '%',
    answer: (result: Result) => middleOf(result, sessionsGone, failed),
    withinPart: 0,
    withinAtLeast: 8,
    why: 'All but browsing, which needs nobody’s name: 12 of 13. How far a lost store reaches is decided by what is asked of it on each request, not by how many machines there are. A cached passport keeps people shopping for a minute, an access token until it ends.',
  },
  async open({ dials, base, say }) {
    const asked = dials['people'] === 0 ? columns : [columns[dials['people']! - 1]!];
    const opened = await Promise.allSettled([openShop('apart', base), openShop('together', base + secondShopOffset)]);
    const shops = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const close = async (): Promise<void> => void (await Promise.all(shops.map((shop) => shop.stop())));
    const [apart, together] = shops;
    if (apart === undefined || together === undefined) {
      await close();
      throw new Error(opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])).join('; '));
    }
    const shopOf: Readonly<Record<Form, Shop>> = { apart, together };
    const probes = { apart: await openProbes(apart.gateway, asked), together: await openProbes(together.gateway, asked) };
    const stories = new Map<string, string>();
    return {
      async measure(arm) {
        const { form, gone } = arms[arm]!;
        const probed = await withoutParts(shopOf[form], gone, probes[form]);
        stories.set(arm, storyOf(probed));
        for (const one of probed.filter((each) => each.failed !== each.predicted))
          say(`not as predicted: ${failureOperations[one.operation].title} (${one.column})`);
        return {
          [failed]: percent(probed, (one) => one.failed),
          [predicted]: percent(probed, (one) => one.predicted),
          [different]: probed.filter((one) => one.failed !== one.predicted).length,
        };
      },
      story: (arm) => stories.get(arm),
      close,
    };
  },
};

/** Both shops run at once. */
const secondShopOffset = testBases['labs-second-shop'] - testBases.labs;

async function withoutParts(shop: Shop, gone: readonly Part[], probes: Awaited<ReturnType<typeof openProbes>>): Promise<Probed[]> {
  const crowd = await probes.gather();
  const lost = new Set(gone.map((part) => shop.stores[part]));
  try {
    for (const store of lost) store.cut();
    for (const store of new Set(Object.values(shop.stores)))
      if ((await store.answers()) === lost.has(store)) throw new Error('a Redis that is gone answers, or another one does not');
    return await probes.probe(crowd, gone);
  } finally {
    for (const store of lost) store.mend();
    await probes.healed(crowd);
  }
}

const percent = (probed: readonly Probed[], holds: (one: Probed) => boolean): number => (100 * probed.filter(holds).length) / probed.length;

function storyOf(probed: readonly Probed[]): string {
  const titles = Map.groupBy(
    probed.filter((one) => one.failed),
    ({ operation }) => failureOperations[operation].title,
  );
  const lines = [...titles].map(([title, ones]) => `  ${title}: ${ones.map(({ column }) => column).join(', ')}`);
  return ['refused, and for whom (the columns of docs/failures.md):', ...lines].join('\n');
}
