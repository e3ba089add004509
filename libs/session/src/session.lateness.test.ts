import { expect, it } from 'vitest';
import { Lateness } from './session.lateness.ts';

function server() {
  const clock = { own: 1_000, server: 5_000_000 };
  const asked: (number | '')[] = [];
  const lateness = new Lateness(() => clock.own);
  const ask = () =>
    lateness.within(async (untilMs) => {
      asked.push(untilMs);
      return { atMs: clock.server, late: untilMs !== '' && clock.server > untilMs };
    });
  const pass = (ownMs: number, serverMs = ownMs) => {
    clock.own += ownMs;
    clock.server += serverMs;
  };
  return { ask, asked, pass };
}

it('is told in the clock of the server, whatever that says', async () => {
  const { ask, asked, pass } = server();
  await ask();
  pass(60_000);
  expect(await ask()).toMatchObject({ late: false });
  expect(asked).toEqual(['', 5_062_000]);
});

it('a clock that was set costs one more question, and none after it', async () => {
  const { ask, asked, pass } = server();
  await ask();
  pass(1_000, 3_600_000);
  expect(await ask()).toMatchObject({ late: false });
  expect(await ask()).toMatchObject({ late: false });
  expect(asked).toHaveLength(4);
});
