/** A person changes the e-mail address on the laptop, and the lab looks how long the laptop and the phone go on showing the old one. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LabBrowser } from './browser.ts';

/** Where a page takes the address from, and the mode of the session. */
export interface Way {
  readonly mode: 'reference' | 'hybrid' | 'jwt';
  readonly path: '/api/session' | '/api/profile';
}

export interface Shown {
  /** Until the phone showed the new address, from the moment when the laptop was told that the change was done. */
  readonly otherMs: number;
  /** The same for the laptop itself; 0 where its first read was right. */
  readonly ownMs: number;
}

const password = 'correct horse battery staple';
/** A registration reaches the copy within milliseconds; this is for a machine that does ten other things. */
const settlesWithinMs = 20_000;
/** Looks often at first, for an event takes milliseconds, and then as often as a person could tell apart. */
const pauseAfter = (passedMs: number): number => (passedMs < 500 ? 5 : 50);

export interface Person {
  /** Signs the phone in, changes the address on the laptop, and looks at both. @param watchMaxMs an older page counts as this old */
  change(watchMaxMs: number): Promise<Shown>;
}

/** Registers on the laptop, and waits until the copy knows the person. */
export async function openPerson({ mode, path }: Way, gateways: readonly string[]): Promise<Person> {
  const id = randomUUID();
  const [before, after] = [`before-${id}@example.com`, `after-${id}@example.com`];
  const [laptop, phone] = [new LabBrowser(gateways[0]!), new LabBrowser(gateways[1]!)];
  await laptop.call('POST', '/api/session/register', [201], { email: before, password, name: 'Ada', mode });
  await untilShown(laptop, '/api/profile', before, settlesWithinMs, true);
  return {
    async change(watchMaxMs) {
      // Signed in just before: the phone's token and the gateway's memory are as young as they can be, so the longest age is measured.
      await phone.call('POST', '/api/session/login', [200], { email: before, password, mode });
      await untilShown(phone, path, before, settlesWithinMs, true);
      await laptop.call('PUT', '/api/session/email', [200], { email: after });
      const [ownMs, otherMs] = await Promise.all([untilShown(laptop, path, after, watchMaxMs), untilShown(phone, path, after, watchMaxMs)]);
      return { ownMs, otherMs };
    },
  };
}

/** Waits until a registration reaches the copy as late as the fault makes it: a switch reaches each process a moment after it is on. */
export async function untilBehind(gateway: string, behindMs: number): Promise<void> {
  const endMs = performance.now() + settlesWithinMs;
  while (performance.now() < endMs) {
    const browser = new LabBrowser(gateway);
    const email = `probe-${randomUUID()}@example.com`;
    await browser.call('POST', '/api/session/register', [201], { email, password, name: 'Probe' });
    if ((await untilShown(browser, '/api/profile', email, settlesWithinMs, true)) > behindMs / 2) return;
  }
  throw new Error('the fault changed nothing: the copy is not behind');
}

/** @returns how long it took; 0 where the first look was right @throws with `must`, where it took longer than `maxMs` */
async function untilShown(browser: LabBrowser, path: string, address: string, maxMs: number, must = false): Promise<number> {
  const began = performance.now();
  for (let looks = 0; ;) {
    const seen = await addressOn(browser, path);
    const passedMs = performance.now() - began;
    if (seen === address) return looks === 0 ? 0 : passedMs;
    if (seen !== undefined) looks += 1;
    if (passedMs > maxMs) {
      if (must) throw new Error(`${path} did not show ${address} within ${maxMs} ms`);
      return maxMs;
    }
    await delay(pauseAfter(passedMs));
  }
}

/** @returns undefined where the shop cannot tell now (503): then no page was shown */
async function addressOn(browser: LabBrowser, path: string): Promise<string | undefined> {
  const { status, body } = await browser.call('GET', path, [200, 503]);
  if (status === 503) return undefined;
  const { email, user } = body as { email?: string; user?: { email: string } };
  return user?.email ?? email ?? '';
}
