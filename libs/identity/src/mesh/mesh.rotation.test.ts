/** Certificates that change under load, over real mutual TLS. */
import { mkdtemp, cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CatalogService, isProblem, problem } from '@cloakroom/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  connectMesh,
  createDevelopmentCa,
  implement,
  type MeshTls,
  newAuthority,
  openTls,
  readTls,
  rotateCertificates,
  serveMesh,
  writeAuthorities,
  writeLeaf,
} from '@cloakroom/mesh';
import { movableClock, newSigner, outgoing, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const names = ['catalog', 'gateway'];
const open: { stop?(): unknown; close?(): unknown }[] = [];
const clock = movableClock();

afterEach(async () => {
  clock.aheadMs = 0;
  for (const one of open.splice(0).reverse()) await (one.stop?.() ?? one.close?.());
});

const watched = async (dir: string, name: string) => {
  const tls = await openTls(dir, name, { log: silent, lookIntervalMs: 20 });
  open.push(tls);
  return tls;
};

const unused = () => Promise.resolve(problem('not_found'));

async function serve(tls: MeshTls) {
  const server = await serveMesh({
    name: 'catalog',
    port: 0,
    tls,
    services: [
      implement(CatalogService, {
        listProducts: () => Promise.resolve({}),
        // Long enough that some are under way whenever something changes.
        getProducts: () => delay(30).then(() => ({})),
        suggest: unused,
        reserveStock: unused,
        releaseStock: unused,
      }),
    ],
    admission: openAdmission(createPassportVerifier({ audience: 'catalog', keys: newSigner().ring, clock }), clock),
    clock,
    log: silent,
  });
  open.push(server);
  return `localhost:${server.port}`;
}

function connect(address: string, tls: MeshTls) {
  const connection = connectMesh(CatalogService, { address, tls, log: silent });
  open.push(connection);
  return connection.client;
}

async function setUp() {
  const dir = await mkdtemp(join(tmpdir(), 'rotation-'));
  await createDevelopmentCa(dir, names);
  const [server, client] = [await watched(dir, 'catalog'), await watched(dir, 'gateway')];
  const address = await serve(server);
  const taken = (step: { authorities: string; certificates: ReadonlyMap<string, string> }) =>
    vi.waitFor(() => {
      for (const [name, tls] of [
        ['catalog', server],
        ['gateway', client],
      ] as const)
        expect(tls.inUse()).toEqual({ authorities: step.authorities, certificate: step.certificates.get(name) });
    }, 5_000);
  return { dir, address, server, client: connect(address, client), taken };
}

const ask = (client: ReturnType<typeof connect>) => client.getProducts(outgoing(), { productIds: ['p'] });
const codeOf = (answer: object) => (isProblem(answer) ? answer.problem : 'ok');

describe('a rotation of the authority and of all certificates', () => {
  it('loses no request under load, and leaves the old certificates refused', async () => {
    const { dir, address, client, taken } = await setUp();
    const old = await readTls(dir, 'gateway');
    // This client holds the old certificate, does not hang up, and does not read the new one.
    const lagging = connect(address, old);
    expect(codeOf(await ask(lagging))).toBe('ok');

    const counts = new Map<string, number>();
    let going = true;
    const worker = async (): Promise<void> => {
      while (going) {
        const code = codeOf(await ask(client));
        counts.set(code, (counts.get(code) ?? 0) + 1);
        // A loop of instant refusals must not starve the other work.
        if (code !== 'ok') await delay(5); // not a wait: the pace of the load
      }
    };
    const load = Promise.all(Array.from({ length: 20 }, worker));
    try {
      for (let round = 0; round < 3; round += 1) await rotateCertificates(dir, names, { nowMs: Date.now(), taken });
    } finally {
      going = false;
      await load;
    }
    console.log(`three rotations under load: ${JSON.stringify(Object.fromEntries(counts))}`);
    expect([...counts.keys()]).toEqual(['ok']);
    expect(counts.get('ok')).toBeGreaterThan(20);

    // It must fail on the connection that it has had all the time, and on a new one.
    expect(codeOf(await ask(lagging))).toBe('forbidden');
    const { ca } = await readTls(dir, 'gateway');
    expect(codeOf(await ask(connect(address, { ...old, ca })))).toBe('connection_lost');
  });

  it('takes no torn set: a certificate without its key, of a foreign authority, or that has run out', async () => {
    const { dir, client, server } = await setUp();
    const inUse = server.inUse();
    const before = await readTls(dir, 'catalog');
    const stranger = await newAuthority(Date.now());
    const foreign = await stranger.issue('catalog');
    const torn = { cert: before.cert.toString(), key: foreign.key };
    for (const set of [foreign, torn]) {
      await writeLeaf(dir, 'catalog', set);
      await server.look();
      expect(server.inUse()).toEqual(inUse);
      expect(codeOf(await ask(client))).toBe('ok');
    }
    const past = await newAuthority(Date.now() - 60 * 24 * 60 * 60 * 1000);
    await writeAuthorities(dir, past.pem);
    await writeLeaf(dir, 'catalog', await past.issue('catalog'));
    await server.look();
    expect(server.inUse()).toEqual(inUse);
    expect(codeOf(await ask(client))).toBe('ok');
  });
});

describe('a certificate', () => {
  it('that runs out while its connection is open is refused from that moment on', async () => {
    const { client } = await setUp();
    expect(codeOf(await ask(client))).toBe('ok');
    clock.aheadMs = 31 * 24 * 60 * 60 * 1000;
    expect(codeOf(await ask(client))).toBe('forbidden');
  });

  it('of a foreign authority does not connect', async () => {
    const { address, dir } = await setUp();
    const elsewhere = await mkdtemp(join(tmpdir(), 'rotation-'));
    await createDevelopmentCa(elsewhere, ['gateway']);
    await cp(join(dir, 'ca.pem'), join(elsewhere, 'trusted.pem'));
    const foreign = await readTls(elsewhere, 'gateway');
    const { ca } = await readTls(dir, 'gateway');
    expect(codeOf(await ask(connect(address, { ...foreign, ca })))).toBe('connection_lost');
  });

  it('must be whole at the start', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rotation-'));
    await createDevelopmentCa(dir, names);
    await writeAuthorities(dir, (await newAuthority(Date.now())).pem);
    await expect(openTls(dir, 'catalog', { log: silent })).rejects.toThrow('no authority of the bundle signed it');
  });
});
