import { expect, it } from 'vitest';
import { commandFor } from '../launch/commands.ts';
import { checkInspect, parseInspect } from './inspect.ts';
import { drawStack } from './stack.ts';

const at = { base: 31_500, dataDir: '/tmp/containers/inspect' };
const native = drawStack({ ...at, provider: 'native' });
const embedded = drawStack({ ...at, provider: 'embedded' });

async function argumentsOf(stack: typeof native, name: string, ...flags: string[]) {
  const wanted = flags.reduce<ReturnType<typeof parseInspect>>((earlier, flag) => parseInspect(flag, earlier), []);
  const spec = stack.processes.find((process) => process.name === name)!;
  return (await commandFor(at.dataDir, undefined, wanted)(spec, '/tmp/containers/log')).args.filter((word) => word.startsWith('--inspect'));
}

it('opens a debugger for the one service that was named, on loopback', async () => {
  expect(await argumentsOf(native, 'cart', 'cart=9300')).toEqual(['--inspect=127.0.0.1:9300']);
  expect(await argumentsOf(native, 'auth', 'cart=9300')).toEqual([]);
  expect(await argumentsOf(native, 'cart')).toEqual([]);
});

it('takes gateway for the first gateway', async () => {
  expect(await argumentsOf(native, 'gateway-1', 'gateway')).toEqual(['--inspect=127.0.0.1:9229']);
  expect(await argumentsOf(native, 'gateway-2', 'gateway')).toEqual([]);
});

it('takes a service for its first replica where the cluster has two', async () => {
  const cluster = drawStack({ ...at, provider: 'native', profile: 'cluster' });
  expect(await argumentsOf(cluster, 'cart-1', 'cart=9300')).toEqual(['--inspect=127.0.0.1:9300']);
  expect(await argumentsOf(cluster, 'cart-2', 'cart=9300')).toEqual([]);
  expect(await argumentsOf(cluster, 'cart-2', 'cart-2=9300')).toEqual(['--inspect=127.0.0.1:9300']);
});

it('gives each of several services a port of its own', async () => {
  expect(await argumentsOf(native, 'auth', 'cart', 'auth')).toEqual(['--inspect=127.0.0.1:9230']);
  expect(await argumentsOf(native, 'auth', 'cart=9230', 'auth')).toEqual(['--inspect=127.0.0.1:9229']);
  expect(() => parseInspect('auth=9229', parseInspect('cart'))).toThrow(/given twice/);
});

it('opens the one process of embedded, whichever service is named', async () => {
  expect(await argumentsOf(embedded, 'cloakroom', 'cart=9300')).toEqual(['--inspect=127.0.0.1:9300']);
  expect(await argumentsOf(embedded, 'cloakroom', 'gateway-2')).toEqual(['--inspect=127.0.0.1:9229']);
});

it('says which names there are rather than starting without a debugger', () => {
  expect(() => checkInspect(parseInspect('checkout'), native.processes)).toThrow(/no Node process for checkout/);
  expect(() => checkInspect(parseInspect('kafka'), native.processes)).toThrow(/kafka/);
  expect(() => checkInspect(parseInspect('catalog'), embedded.processes)).not.toThrow();
  expect(() => parseInspect('cart=99999')).toThrow(/port/);
});
