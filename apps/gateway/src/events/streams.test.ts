import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { type Seat, Streams, streamsPerSessionMax } from './streams.ts';

const seatsOf = (streams: Streams, address: string, sessions: number): Seat[] =>
  Array.from({ length: sessions * streamsPerSessionMax }, (_, index) =>
    streams.enter(`${address} ${Math.floor(index / streamsPerSessionMax)}`, address),
  ).filter((seat) => !isProblem(seat)) as Seat[];

it('leaves seats for others when one address opens streams of as many sessions as it likes', () => {
  const streams = new Streams({ inAll: 1_000, ofAddress: 200 }, 'test');
  const taken = seatsOf(streams, '203.0.113.7', 167);
  expect(taken).toHaveLength(200);
  expect(streams.enter('another session', '203.0.113.7')).toMatchObject({ problem: 'too_many_requests' });
  expect(isProblem(streams.enter('s', '198.51.100.1'))).toBe(false);
  taken[0]!.leave();
  taken[0]!.leave();
  expect(isProblem(streams.enter('another session', '203.0.113.7'))).toBe(false);
  expect(streams.enter('another session', '203.0.113.7')).toMatchObject({ problem: 'too_many_requests' });
});

it('counts a household of IPv6 as one address', () => {
  const streams = new Streams({ inAll: 1_000, ofAddress: 2 }, 'test');
  expect(isProblem(streams.enter('a', '2001:db8:0:1::1'))).toBe(false);
  expect(isProblem(streams.enter('b', '2001:db8:0:1::2'))).toBe(false);
  expect(streams.enter('c', '2001:db8:0:1::3')).toMatchObject({ problem: 'too_many_requests' });
  expect(isProblem(streams.enter('c', '2001:db8:0:2::1'))).toBe(false);
});
