import { problem } from '@cloakroom/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { algorithmOf } from './jws.ts';
import { openKeyRing, parseJwks } from './keys.ts';
import { newSigner, silent } from './mesh/mesh.fixture.ts';

const jwks = (...kids: string[]) => JSON.stringify({ keys: kids.map((kid) => newSigner(kid).jwk()) });

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

function ringOver(answers: () => Promise<string | ReturnType<typeof problem>>) {
  const fetchJwks = vi.fn<typeof answers>(answers);
  const ring = openKeyRing({ fetchJwks, log: silent, clock });
  return { fetchJwks, ring };
}

describe('a key ring', () => {
  it('is open at once and ready after the first fetch', async () => {
    const { ring } = ringOver(() => Promise.resolve(jwks('a', 'b')));
    expect(ring.find('a')).toBeUndefined();
    await ring.ready;
    expect(ring.find('a')).toBeDefined();
    expect(ring.find('b')).toBeDefined();
    expect(ring.find('__proto__')).toBeUndefined();
    ring.stop();
  });

  it('asks again until auth is there', async () => {
    let up = false;
    const { ring, fetchJwks } = ringOver(() => Promise.resolve(up ? jwks('a') : problem('unavailable')));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(fetchJwks.mock.calls.length).toBeGreaterThan(3);
    expect(fetchJwks.mock.calls.length).toBeLessThanOrEqual(6);
    up = true;
    await vi.advanceTimersByTimeAsync(1_500);
    await ring.ready;
    expect(ring.find('a')).toBeDefined();
    ring.stop();
  });

  it('turns a flood of refreshes into one fetch a second', async () => {
    const { ring, fetchJwks } = ringOver(() => Promise.resolve(jwks('a')));
    await ring.ready;
    const flood = Promise.all(Array.from({ length: 1_000 }, () => ring.refresh()));
    await vi.advanceTimersByTimeAsync(900);
    expect(fetchJwks).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    await flood;
    expect(fetchJwks).toHaveBeenCalledTimes(2);
    ring.stop();
  });

  it('waits once, not for every record, for a key that auth does not list: a feed is read back although its key was retired', async () => {
    const { ring, fetchJwks } = ringOver(() => Promise.resolve(jwks('a')));
    await ring.ready;
    let judged = 0;
    const readBack = (async () => {
      for (; judged < 700; judged++) await ring.refresh('retired long ago');
    })();
    await vi.advanceTimersByTimeAsync(1_100);
    expect(judged).toBe(700);
    expect(fetchJwks).toHaveBeenCalledTimes(2);
    await readBack;
    ring.retire('a');
    await ring.refresh('a');
    expect(fetchJwks).toHaveBeenCalledTimes(2);
    ring.stop();
  });

  it('finds a key that was made after the fetch which it waited for had begun', async () => {
    let answer: (jwks: string) => void = () => undefined;
    const { ring } = ringOver(() => new Promise((resolve) => (answer = resolve)));
    answer(jwks('a'));
    await ring.ready;
    await vi.advanceTimersByTimeAsync(1_100);
    const first = ring.refresh();
    await vi.advanceTimersByTimeAsync(1);
    const wanted = ring.refresh('b');
    answer(jwks('a'));
    await first;
    await vi.advanceTimersByTimeAsync(1_100);
    answer(jwks('a', 'b'));
    await wanted;
    expect(ring.find('b')).toBeDefined();
    ring.stop();
  });

  it('asks again for a missing key after a while', async () => {
    let listed = jwks('a');
    const { ring } = ringOver(() => Promise.resolve(listed));
    await ring.ready;
    const missing = ring.refresh('b');
    await vi.advanceTimersByTimeAsync(1_100);
    await missing;
    listed = jwks('a', 'b');
    await vi.advanceTimersByTimeAsync(10_000);
    await ring.refresh('b');
    expect(ring.find('b')).toBeDefined();
    ring.stop();
  });

  it('gives up on a fetch that does not end, and says so', async () => {
    let hang = false;
    const { ring } = ringOver(() => (hang ? new Promise(() => undefined) : Promise.resolve(jwks('a'))));
    await ring.ready;
    hang = true;
    const refreshed = ring.refresh().then(
      () => 'refreshed',
      (error: Error) => error.message,
    );
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await refreshed).toContain('no answer');
    expect(ring.find('a')).toBeDefined();
    ring.stop();
  });

  it('drops what auth no longer lists, and never takes back what was retired', async () => {
    let answer = jwks('a', 'b');
    const { ring } = ringOver(() => Promise.resolve(answer));
    await ring.ready;
    ring.retire('a');
    expect(ring.find('a')).toBeUndefined();
    const again = async () => {
      const done = ring.refresh();
      await vi.advanceTimersByTimeAsync(1_100);
      await done;
    };
    await again();
    expect(ring.find('a')).toBeUndefined();
    answer = jwks('c');
    await again();
    expect([ring.find('b'), ring.find('c')]).toEqual([undefined, expect.anything()]);
    ring.stop();
  });

  it('finds a removal by itself within a minute', async () => {
    let answer = jwks('a');
    const { ring } = ringOver(() => Promise.resolve(answer));
    await ring.ready;
    answer = jwks('b');
    await vi.advanceTimersByTimeAsync(61_000);
    expect(ring.find('a')).toBeUndefined();
    ring.stop();
  });

  it.each(['ES256', 'Ed25519'] as const)('keeps the object of a key for %s that did not change', async (algorithm) => {
    const answer = JSON.stringify({ keys: [newSigner('a', algorithm).jwk()] });
    const { ring } = ringOver(() => Promise.resolve(answer));
    await ring.ready;
    const before = ring.find('a');
    const done = ring.refresh();
    await vi.advanceTimersByTimeAsync(1_100);
    await done;
    expect(before).toBeDefined();
    expect(ring.find('a')).toBe(before);
    ring.stop();
  });

  it('does not keep the object where a kid came back with a key of another algorithm', async () => {
    let key = newSigner('a').jwk();
    const { ring } = ringOver(() => Promise.resolve(JSON.stringify({ keys: [key] })));
    await ring.ready;
    key = newSigner('a', 'Ed25519').jwk();
    const done = ring.refresh();
    await vi.advanceTimersByTimeAsync(1_100);
    await done;
    expect(algorithmOf(ring.find('a')!)).toBe('Ed25519');
    ring.stop();
  });
});

describe('parseJwks', () => {
  const good = newSigner('a').jwk();
  const edwards = newSigner('b', 'Ed25519').jwk();
  it('takes only signing keys for ES256 and Ed25519, and skips every other', () => {
    const odd = [
      { ...good, kid: 'enc', use: 'enc' },
      { ...good, kid: 'rs', alg: 'RS256' },
      { ...good, kid: 'crossed', alg: 'Ed25519' },
      { ...good, kid: 'another curve', crv: 'P-384' },
      { ...edwards, kid: 'crossed back', alg: 'ES256' },
      { ...edwards, kid: 'old name', alg: 'EdDSA' },
      { ...edwards, kid: 'for agreement', crv: 'X25519' },
      { ...edwards, kid: 'larger', crv: 'Ed448' },
      { ...edwards, kid: 'as EC', kty: 'EC' },
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA', kid: 'of a later build' },
      { kty: 'oct', k: 'AAAA', kid: 'mac' },
      { ...good, kid: undefined },
    ];
    const keys = parseJwks(JSON.stringify({ keys: [good, edwards, ...odd] }));
    expect([...keys].map(([kid, key]) => [kid, algorithmOf(key)])).toEqual([
      ['a', 'ES256'],
      ['b', 'Ed25519'],
    ]);
  });
  it('is content without an ES256 key, as passports need none', () => {
    expect([...parseJwks(JSON.stringify({ keys: [edwards] })).keys()]).toEqual(['b']);
  });
  it.each(['{}', '{"keys":[]}', '[]', 'x', JSON.stringify({ keys: Array.from({ length: 65 }, (_, n) => ({ ...good, kid: `k${n}` })) })])(
    'refuses %s',
    (set) => {
      expect(() => parseJwks(set)).toThrow();
    },
  );
});
