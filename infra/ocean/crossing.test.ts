import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Crossing } from './crossing.ts';
import type { WayState } from './ocean.types.ts';

it('a way that is held stops its sender before it keeps too much, and lets it go on after the heal', () => {
  const lane = { state: 'held' as WayState, delayMs: 0, arrived: () => undefined };
  const from = new Socket();
  // It is connected to nothing, and says so.
  const to = new Socket().on('error', () => undefined);
  const crossing = new Crossing(lane, from, to, 0);
  const megabyte = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < 3; sent++) from.emit('data', megabyte);
  expect(from.isPaused()).toBe(false);
  from.emit('data', megabyte);
  expect(from.isPaused()).toBe(true);
  lane.state = 'open';
  // Its receiver takes one piece at a time: the rest still waits.
  crossing.pump();
  expect(from.isPaused()).toBe(false);
  crossing.stop();
});
