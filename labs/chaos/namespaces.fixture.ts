/** Runs inside a network namespace. Prints the effect of the partitions between three others on standard output. See namespaces.int.test.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { orStackError } from '../../infra/stack/outcome.ts';
import { openNamespaces } from './namespaces.ts';

const names = ['kafka-1', 'kafka-2', 'kafka-3'];
const port = 9_092;
const namespaces = orStackError(openNamespaces(names));
const server = `require('node:net').createServer((socket) => socket.on('error', () => {})).listen(${port}, () => console.log('ready'))`;
const servers = names.map((name) =>
  spawn('ip', ['netns', 'exec', `cloakroom-chaos-${process.pid}-${name}`, process.execPath, '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
);
try {
  await Promise.all(servers.map(({ stdout }) => once(stdout, 'data')));
  const look = () => ({
    outside: names.filter((name) => namespaces.reaches(undefined, name, port)),
    pairs: names.flatMap((from) => names.filter((to) => to !== from && namespaces.reaches(from, to, port)).map((to) => `${from} ${to}`)),
  });
  const seen: Record<string, unknown> = { whole: look() };
  namespaces.unplug('kafka-2');
  seen['apart'] = look();
  namespaces.mend();
  seen['mended'] = look();
  namespaces.block('kafka-1', 'kafka-3');
  seen['one way'] = look();
  namespaces.mend();
  seen['mended again'] = look();
  console.log(JSON.stringify(seen));
} finally {
  for (const one of servers) one.kill();
  namespaces.close();
}
