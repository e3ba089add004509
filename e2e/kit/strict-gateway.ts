/** One more gateway in us, which refuses people of eu as soon as eu cannot be asked: `CUT_OFF=strict`. */
import type { StackRequest } from '@cloakroom/infra';
import { strictGateway } from './stack.ts';

type Change = NonNullable<NonNullable<StackRequest['reshape']>['spec']>;
type Drawn = Parameters<Change>[0]['processes'][number];

export const withStrictGateway: Change = (spec) => {
  const like = spec.processes.find(({ name }) => name === 'gateway-us')!;
  return { ...spec, processes: [...spec.processes, strictLike(like)] };
};

function strictLike(gateway: Drawn): Drawn {
  const { run } = gateway;
  if (run.kind !== 'app') throw new Error(`${gateway.name} is no app`);
  const { port } = new URL(strictGateway);
  const env = { ...run.app.env, REPLICA: '2', CUT_OFF: 'strict', LISTEN_PORT: port, PUBLIC_ORIGINS: strictGateway };
  return {
    ...gateway,
    name: 'gateway-2-us' as string as Drawn['name'],
    run: { ...run, app: { ...run.app, env } },
    ports: [Number(port)],
    url: strictGateway,
    health: { kind: 'http', urls: [`${strictGateway}/readyz`] },
  };
}
