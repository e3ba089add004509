import { expect, it } from 'vitest';
import { isClusterUrl, parseClusterUrl } from './redis.cluster.ts';

it('reads every node of a cluster, and who may enter', () => {
  expect(parseClusterUrl('rediss-cluster://auth:s%40cret@a.example:1,[::1]:2')).toEqual({
    nodes: [
      { host: 'a.example', port: 1 },
      { host: '::1', port: 2 },
    ],
    username: 'auth',
    password: 's@cret',
    tls: {},
  });
});

it('takes one server for no cluster', () => {
  expect(['redis://a:1', 'redis-cluster://a:1'].map(isClusterUrl)).toEqual([false, true]);
});

it('names no password when a cluster has no nodes', () => {
  expect(() => parseClusterUrl('redis-cluster://auth:secret@nowhere')).toThrow(
    /^a cluster is told as redis-cluster:\/\/host:port,host:port$/,
  );
});
