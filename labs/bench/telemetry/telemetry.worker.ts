/**
 * One worker of `npm run bench -- telemetry`: a cart service and its caller in this process, over gRPC on loopback. Each call is verified
 * by its passport and appends one record to the embedded event log. A reader of the log then receives the record. The cart's own rules are
 * left out on purpose: they would only make the measured part smaller.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { CartService, isProblem, recordHeaders, topics, uuidV7 } from '@cloakroom/contracts';
import { EmbeddedEventLog, traceHeaders, traceOfCause } from '@cloakroom/event-log';
import { createPassportVerifier, openAdmission, signPassport } from '@cloakroom/identity';
import { connectMesh, type Rpcs, implement, type RequestContext, serveMesh } from '@cloakroom/mesh';
import { createLogger, startTelemetry, startTrace, systemClock } from '@cloakroom/platform';
import * as platform from '@cloakroom/platform';

export interface Order {
  readonly calls: number;
}

/** Microseconds for each call. */
export interface Measured {
  readonly wallUs: number;
  /** Time of this process, all its threads. */
  readonly cpuUs: number;
}

const topic = topics.cartEvents;
const log = createLogger('bench', 'silent');
const subject = `u_${uuidV7(Date.now(), randomBytes(10))}`;
/** As many calls as a busy gateway has in flight to one service. */
const concurrency = 8;
const passportLifeMs = 30_000;

const stopTelemetry = await startTelemetry('bench', { OTEL_EXPORTER_OTLP_ENDPOINT: process.argv[2] || undefined }, log);
const call = await openCart();
if (process.argv[3] === 'bypassed' && !('hooks' in platform)) throw new Error('the hooks were not replaced');
process.on('message', (order: Order) => void measure(order).then((measured) => process.send!(measured)));
process.on('disconnect', () => void stopTelemetry().then(() => process.exit(0)));
process.send!('ready');

async function measure({ calls }: Order): Promise<Measured> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  let left = calls;
  const one = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  const { user, system } = process.cpuUsage(cpu);
  return { wallUs: ((performance.now() - startedMs) * 1000) / calls, cpuUs: (user + system) / calls };
}

async function openCart(): Promise<() => Promise<void>> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const eventLog = new EmbeddedEventLog({ log, clock: systemClock });
  await eventLog.ensureTopics([topic]);
  await eventLog.subscribe({ group: 'bench', topics: [topic], from: 'earliest', handler: () => Promise.resolve() });
  const handlers = {
    addItem: async (ctx: RequestContext, { commandId }: { commandId: string }) => {
      const headers = { [recordHeaders.eventType]: Buffer.from('ItemAdded'), ...traceHeaders(traceOfCause(ctx)) };
      const [position] = await eventLog.publish(topic, [{ key: subject, value: Buffer.from(commandId), headers }]);
      return { commandId, consistencyToken: `local:${position!.partition}:${position!.offset}` };
    },
  };
  const served = Object.fromEntries(
    CartService.methods.map(({ localName }) => [localName, () => Promise.reject(new Error('not measured'))]),
  );
  const mesh = await serveMesh({
    name: 'cart',
    port: 0,
    tls: undefined,
    services: [implement(CartService, { ...served, ...handlers } as unknown as Rpcs<typeof CartService>)],
    admission: openAdmission(
      createPassportVerifier({
        audience: 'cart',
        keys: { find: () => publicKey, refresh: () => Promise.resolve(), retire: () => undefined },
        clock: systemClock,
      }),
      systemClock,
    ),
    clock: systemClock,
    log,
  });
  const { client } = connectMesh(CartService, { address: `localhost:${mesh.port}`, tls: undefined, log });
  let passport = { text: '', fromMs: Number.NEGATIVE_INFINITY };
  return async () => {
    // One passport serves many calls, as at the gateway.
    if (performance.now() - passport.fromMs > passportLifeMs) passport = { text: passportOf(privateKey), fromMs: performance.now() };
    const request = { commandId: 'c', productId: 'p', quantity: 1 };
    const answer = await client.addItem({ budgetMs: 5_000, trace: startTrace(randomBytes), passport: passport.text }, request);
    if (isProblem(answer)) throw new Error(answer.problem);
  };
}

function passportOf(privateKey: KeyObject): string {
  const nowS = Date.now() / 1000;
  const identity = { sub: subject, sid: 'handle', epoch: 1, gepoch: 0, state: 'user', acr: '1', amr: ['pwd'], auth_time: nowS } as const;
  const claims = { iss: 'cloakroom-auth', aud: 'cart', ...identity, txn: 'txn', region: 'local', iat: nowS, exp: nowS + 60 } as const;
  return signPassport(claims, { kid: 'k1', privateKey });
}
