/** The experiment of a request, as it arrives at a service: from the header, from the trainee's cookie, or not at all. */
import { afterEach, expect, it } from 'vitest';
import { ask, openStage, type Stage } from '../testing/gateway.fixture.ts';
import { experimentOf } from './experiment.ts';

let stage: Stage | undefined;
afterEach(() => stage?.stop());

it.each([
  [{ 'x-experiment-id': 'lab-1' }, 'lab-1'],
  [{ cookie: 'a=1; trainee=ada; b=2' }, 'ada'],
  [{ cookie: 'trainee=ada' }, 'ada'],
  [{ cookie: 'trainee=ada', 'x-experiment-id': 'lab-1' }, 'lab-1'],
  // A header that is no experiment id was meant to be one, so the cookie does not stand in for it.
  [{ cookie: 'trainee=ada', 'x-experiment-id': 'no id!' }, undefined],
  [{ cookie: 'trainee=no id!' }, undefined],
  [{ cookie: 'my-trainee=ada; trainees=bob' }, undefined],
  [{}, undefined],
])('%j is the experiment %s', (headers, experiment) => {
  expect(experimentOf(headers)).toBe(experiment);
});

it.each([
  ['native', ['lab-1', 'ada']],
  ['embedded', ['lab-1', 'ada']],
  ['docker', [undefined, undefined]],
  ['external', [undefined, undefined]],
])('a shop on %s hands on %j of a header and of a cookie', async (provider, handedOn) => {
  stage = await openStage({ PROVIDER: provider });
  const session = `__Host-session=${stage.auth.begin('guest')}`;
  for (const headers of [{ cookie: session, 'x-experiment-id': 'lab-1' }, { cookie: `${session}; trainee=ada` }])
    expect(await ask(stage.url, '/api/cart', { headers })).toMatchObject({ status: 200 });
  const reads = stage.services.seen.filter(({ method }) => method === 'getCart');
  expect(reads.map(({ ctx }) => ctx.experiment)).toEqual(handedOn);
});
