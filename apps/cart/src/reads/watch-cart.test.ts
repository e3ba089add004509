import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isProblem } from '@cloakroom/contracts';
import { accepted, newGuest, newUser, openHarness, personContext, type Harness } from '../cart.harness.ts';
import { watchCart, Watchers } from './watch-cart.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(() => cart.stop());

const watch = (subject: string, watchers = new Watchers()) => {
  const over = new AbortController();
  const stream = watchCart(cart.parts, watchers, personContext(subject, { signal: over.signal, budgetMs: Number.POSITIVE_INFINITY }));
  const next = async () => {
    const { value, done } = await stream.next();
    if (done === true) return undefined;
    if (isProblem(value)) throw new Error(value.problem);
    return value;
  };
  return { stream, next, end: () => over.abort(), watchers };
};

describe('watching a cart', () => {
  it('says "read again" once at the start, and then after each change', async () => {
    const ada = newUser();
    const { next, end } = watch(ada);
    expect(await next()).toMatchObject({ cartId: ada, watermark: 0n });
    accepted(await cart.add(ada));
    expect(await next()).toMatchObject({ cartId: ada, watermark: 1n });
    end();
    expect(await next()).toBeUndefined();
  });

  it('tells of a change that another process has projected', async () => {
    const ada = newUser();
    const second = await openHarness({ eventLog: cart.eventLog, view: cart.view });
    const { next, end } = watch(ada);
    await next();
    accepted(await second.add(ada));
    expect((await next())?.watermark).toBe(1n);
    end();
    await second.stop();
  });

  it("tells a user of the lines that a guest's sign-in added", async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const { next, end } = watch(user);
    await next();
    await cart.claim(guest, user);
    expect(await next()).toMatchObject({ cartId: user });
    end();
  });

  it('keeps one notice, and no queue, for a slow reader', async () => {
    const ada = newUser();
    const { next, stream, end } = watch(ada);
    await next();
    for (let n = 0; n < 5; n++) accepted(await cart.add(ada));
    await vi.waitFor(async () => expect((await cart.get(ada)).lines?.[0]?.quantity).toBe(5));
    expect((await next())?.watermark).toBe(5n);
    const more = stream.next();
    end();
    expect((await more).done).toBe(true);
  });

  it('does not tell of other carts', async () => {
    const ada = newUser();
    const { next, stream, end } = watch(ada);
    await next();
    const more = stream.next();
    const { consistencyToken } = accepted(await cart.add(newUser()));
    await vi.waitFor(() => expect(consistencyToken).toBeDefined());
    end();
    expect((await more).done).toBe(true);
  });

  it('ends at once when the caller is gone, and frees its place', async () => {
    const { next, end, watchers } = watch(newUser());
    await next();
    expect(watchers.count).toBe(1);
    end();
    expect(await next()).toBeUndefined();
    expect(watchers.count).toBe(0);
  });

  it('refuses a stream beyond the limit of the process', async () => {
    const watchers = new Watchers();
    watchers.count = 2_000;
    await expect(watch(newUser(), watchers).next()).rejects.toThrow('unavailable');
  });
});
