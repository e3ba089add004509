import { join } from 'node:path';
import { median } from '../bench/measuring/statistics.ts';
import { type RunningStack, startStack } from '../../infra/launch/harness.ts';
import { dataRoot } from '../../infra/stack/folders.ts';
import { waitFor } from '../../infra/supervisor/probe.ts';
import type { Lab } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { openPerson, type Person, type Shown, untilBehind, type Way } from './change.ts';

const other = 'other device';
const own = 'own device';
const late = 'see their own change late';

const home = 'at home';
const copy = 'event copy';
const behind = 'copy, a second behind';
const token = 'token';
const cache = 'cache';

const ways: Readonly<Record<string, Way & { readonly says: string }>> = {
  [home]: { mode: 'reference', path: '/api/session', says: 'each request asks auth, which owns the address' },
  [copy]: { mode: 'reference', path: '/api/profile', says: 'profile keeps a copy, which follows auth by events' },
  [behind]: { mode: 'reference', path: '/api/profile', says: 'the same, while the log takes each event a second late' },
  [token]: { mode: 'jwt', path: '/api/session', says: 'the address stands in the access token, until that is renewed' },
  [cache]: { mode: 'hybrid', path: '/api/session', says: 'the gateway remembers auth’s answer, until its passport is due' },
};

/** A fault of the Observatory (`npm run fault -- list`), at the topic that the copy follows. */
const fault = { name: 'publish-slow', at: 'identity.events', strengthMs: 1_000 };
/** Longer than the arm; it is switched off before. */
const faultForMs = 120_000;
/** A start takes 3 s. Where tests of a whole repository run beside it, the lab waits and does not fail. */
const readyTimeoutMs = 120_000;
/** All people of the lab share one address. */
const limits = { SIGN_IN_LIMIT_PER_MINUTE: '6000', REGISTRATION_LIMIT_PER_HOUR: '10000', RATE_LIMIT_PER_10S: '100000' };

export const lab: Lab = {
  name: 'personalisation',
  claim: 'the profile of a moment ago is good enough',
  question: 'A person changes the e-mail address on the laptop. How long do the laptop and the phone go on showing the old one?',
  needs: 'node',
  rounds: { quick: 1, full: 2 },
  prediction: {
    kind: 'choice',
    asks: 'The page shows the address out of the access token, which lives 6 s here (5 minutes in a shop). The address is changed on the laptop. When does the phone show it?',
    choices: {
      a: 'at once: the change ends old tokens',
      b: 'when its token is renewed: after some seconds here, after minutes in a shop',
      c: 'at the next sign-in',
    },
    right: 'b',
  },
  dials: {
    lifetime: { value: 6, min: 4, max: 60, unit: 's', says: 'life of an access token' },
    watch: { value: 65, min: 5, max: 120, unit: 's', says: 'how long a page is watched; one that is older counts as this old' },
    people: { value: 4, min: 1, max: 20, unit: '', says: 'people who change their address, in each arm of a round' },
  },
  arms: Object.entries(ways).map(([name, { says }]) => ({ name, says })),
  control: home,
  quantities: {
    [other]: { unit: 'ms', says: 'until another device of the person shows the change, from the moment when it was confirmed' },
    [own]: { unit: 'ms', says: 'the same for the device that made the change' },
    [late]: { unit: '% of people', says: 'people whose first read after their own change shows the old address' },
  },
  statements: [
    {
      says: 'another device shows a change as soon by token as at home, within a second',
      quantity: other,
      of: home,
      against: token,
      as: 'difference',
      above: -1_000,
      margin: 500,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'where the copy is a second behind, more than half of the people see their own change late',
      quantity: late,
      of: behind,
      against: home,
      as: 'difference',
      above: 50,
      margin: 5,
      found: 'holds',
      inQuick: 'shown',
    },
    {
      says: 'where the gateway remembers, another device is late by more than ten seconds',
      quantity: other,
      of: cache,
      against: home,
      as: 'difference',
      above: 10_000,
      margin: 500,
      found: 'holds',
      inQuick: 'shown',
    },
  ],
  figure: (result) => ({
    title: 'Until the phone shows the new address',
    mark: 'bar',
    x: { field: 'seconds', title: 'seconds (symlog scale)', type: 'quantitative', scale: 'symlog' },
    y: { field: 'read', title: '', type: 'nominal' },
    points: Object.keys(ways).map((read) => ({ read, seconds: middleOf(result, read, other) / 1000 })),
  }),
  exercise: {
    task: 'Access tokens live twice as long: 12 s in place of 6 s.',
    set: { lifetime: 12, watch: 20 },
    asks: 'After how many seconds does the phone show the new address by token?',
    unit: 's',
    answer: (result) => middleOf(result, token, other) / 1000,
    withinPart: 0,
    withinAtLeast: 2,
    why: 'Nothing tells a token that its contents are old, so only its end helps: the age is the life of the token, less the 1.5 s by which the gateway renews it early. A shop with tokens of 5 minutes shows the old address for 5 minutes.',
  },
  async open({ quick, dials, base, say }) {
    say('starts the embedded shop with its Observatory');
    const stack = await openShop(base, dials['lifetime']! * 1000);
    await observatoryAnswers(stack);
    return {
      async measure(arm) {
        // It takes nearly a minute, which a quick run has not.
        if (quick && arm === cache) return { [other]: Number.NaN, [own]: Number.NaN, [late]: Number.NaN };
        const watchMaxMs = dials['watch']! * 1000;
        const people = await Promise.all(Array.from({ length: dials['people']! }, () => openPerson(ways[arm]!, stack.gateways)));
        const shown =
          arm === behind ? await whileBehind(stack, people, watchMaxMs) : await Promise.all(people.map((one) => one.change(watchMaxMs)));
        return {
          [other]: median(shown.map(({ otherMs }) => otherMs)),
          [own]: median(shown.map(({ ownMs }) => ownMs)),
          [late]: (100 * shown.filter(({ ownMs }) => ownMs > 0).length) / shown.length,
        };
      },
      close: () => stack.stop(),
    };
  },
};

const openShop = (base: number, accessTokenLifetimeMs: number): Promise<RunningStack> =>
  startStack({
    provider: 'embedded',
    base,
    dataDir: join(dataRoot, 'lab-personalisation'),
    fresh: true,
    logLevel: 'error',
    limits,
    accessTokenLifetimeMs,
    observatory: true,
    reshape: { spec: (drawn) => ({ ...drawn, processes: drawn.processes.map((one) => ({ ...one, readyTimeoutMs })) }) },
  });

/** The log takes one event after the other, so people change their address one after the other: each meets one second. */
async function whileBehind(stack: RunningStack, people: readonly Person[], watchMaxMs: number): Promise<Shown[]> {
  await switchFault(stack, 'on');
  const shown: Shown[] = [];
  for (const one of people) shown.push(await one.change(watchMaxMs));
  await switchFault(stack, 'off');
  return shown;
}

const authorization = (stack: RunningStack) => ({ authorization: `Bearer ${stack.observatory!.pageKey}` });

/** The shop does not wait for its Observatory. @throws when it does not come up */
async function observatoryAnswers(stack: RunningStack): Promise<void> {
  const url = `${stack.observatory!.url}/api/faults`;
  const answers = async () => {
    const status = await fetch(url, { headers: authorization(stack) }).then(
      (answer) => answer.status,
      () => 0,
    );
    return { ok: status === 200, detail: `the Observatory answers ${status}` };
  };
  const ready = await waitFor(answers, { timeoutMs: readyTimeoutMs });
  if (!ready.ok) throw new Error(ready.detail);
}

async function switchFault(stack: RunningStack, to: 'on' | 'off'): Promise<void> {
  const wanted = JSON.stringify({ at: fault.at, everybody: true, strengthMs: fault.strengthMs, forMs: faultForMs });
  const on = { method: 'PUT', body: wanted, headers: { ...authorization(stack), 'content-type': 'application/json' } };
  const off = { method: 'DELETE', headers: authorization(stack) };
  const answer = await fetch(`${stack.observatory!.url}/api/faults/${fault.name}`, to === 'on' ? on : off);
  if (!answer.ok) throw new Error(`${fault.name} ${to}: ${answer.status} ${await answer.text()}`);
  if (to === 'on') await untilBehind(stack.gateways[0], fault.strengthMs);
}
