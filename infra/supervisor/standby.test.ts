import { expect, it } from 'vitest';
import { launchStandby } from './standby.ts';

it('a process with a debugger gets no standby, which would find the port of the debugger taken', () => {
  const spec = { name: 'cart', command: process.execPath, args: ['--inspect=127.0.0.1:9229', 'main.js'], logFile: 'cart.log' };
  expect(launchStandby(spec, [])).toBeUndefined();
});
