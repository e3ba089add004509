import { expect, it } from 'vitest';
import { regionWord } from './session-bar-words.ts';

it('says the region, the home of a session from elsewhere, and that home is out of reach', () => {
  const told = (region: Parameters<typeof regionWord>[0], unreachable = false) => regionWord(region, unreachable);
  expect(told({ region: { here: 'us' } })).toEqual({ word: 'region us', tone: 'quiet' });
  expect(told({ region: { here: 'us', home: 'us', homeReachable: true } })).toEqual({ word: 'region us', tone: 'quiet' });
  expect(told({ region: { here: 'us', home: 'eu', homeReachable: true } })).toEqual({ word: 'region us · home eu', tone: 'quiet' });
  expect(told({ region: { here: 'us', home: 'eu', homeReachable: false } })).toEqual({
    word: 'us · home region eu unreachable',
    tone: 'warn',
  });
  expect(told(undefined, true)).toEqual({ word: 'home region unreachable', tone: 'warn' });
});

it('says nothing in a shop of one region', () => {
  expect([regionWord(undefined, false), regionWord({}, false)]).toEqual([undefined, undefined]);
});
