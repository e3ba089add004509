/** Group B: passports that auth did not sign, sent directly to the services by an attacker with the gateway's certificate. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '../../e2e/kit/device.ts';
import { assemble, attacker, macsByPublicKey, publicKeys, renamed, signedByAttacker, takeApart } from '../../e2e/kit/forge.ts';
import { passportFor, shownTo } from '../../e2e/kit/mesh.ts';
import { signedIn } from '../../e2e/kit/person.ts';

const services = ['cart', 'profile'] as const;

async function realPassport(service: (typeof services)[number]): Promise<string> {
  const { token } = await signedIn();
  const passport = await passportFor(token, service);
  expect(await shownTo(service, passport), 'the passport that is forged from is good').toBe('ok');
  return passport;
}

/** Each service refuses every one, as an identity that cannot be verified. */
async function expectRefused(forge: (passport: string) => readonly string[] | Promise<readonly string[]>): Promise<void> {
  for (const service of services) {
    const forged = await forge(await realPassport(service));
    for (const one of forged) expect(await shownTo(service, one), one.slice(0, 80)).toBe('invalid_passport');
  }
}

test('B11 alg none, in any case, with an empty or an old signature, is no identity', () =>
  expectRefused((passport) => {
    const { header, payload, signature } = takeApart(passport);
    return ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
      assemble({ ...header, alg }, payload, ''),
      assemble({ ...header, alg }, payload, signature),
      assemble({ ...header, alg }, payload, 'AA'),
    ]);
  }));

test('B11 a real header and changed claims do not keep the signature', () =>
  expectRefused((passport) => {
    const { header, payload, signature } = takeApart(passport);
    const changes = [
      { sub: 'u_00000000-0000-4000-8000-000000000000' },
      { exp: Number(payload['exp']) + 3_600 },
      { acr: '2' },
      { auth_time: Date.now() / 1000 },
      { epoch: 9e15 },
    ];
    return changes.map((change) => assemble(header, { ...payload, ...change }, signature));
  }));

test('B12 a MAC keyed with the public key is no signature', async () => {
  const [key] = await publicKeys();
  await expectRefused((passport) => {
    const { header, payload } = takeApart(passport);
    return ['HS256', 'ES256'].flatMap((alg) => macsByPublicKey(key!, { ...header, alg }, payload));
  });
});

test('B13 a kid is a name and nothing else: paths, SQL, prototypes and other keys open nothing', () =>
  expectRefused(async (passport) => {
    const { header, payload } = takeApart(passport);
    const kids = ['../../../../dev/null', "' OR '1'='1", '__proto__', 'constructor', 'toString', '', 'x'.repeat(5_000), header['kid']!];
    return kids.map((kid) => signedByAttacker({ ...header, kid }, payload));
  }));

test('B14 a key that the token brings or points to is neither used nor fetched', async () => {
  let asked = 0;
  const jwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: 'mine', alg: 'ES256', use: 'sig' };
  const host = createServer((_request, response) => {
    asked++;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/jwks.json`;
  try {
    await expectRefused((passport) => {
      const { header, payload } = takeApart(passport);
      const brought = [{ jwk }, { jku: url }, { x5u: url }, { x5c: ['MIIB'] }, { jwk, jku: url }];
      return brought.flatMap((member) => [
        signedByAttacker({ ...header, ...member }, payload),
        signedByAttacker({ ...header, kid: 'mine', ...member }, payload),
      ]);
    });
    expect(asked, 'nobody called the attacker').toBe(0);
  } finally {
    host.close();
  }
});

test('B15 a critical header that nobody knows is refused, not passed over', () =>
  expectRefused((passport) => {
    const { header, payload, signature } = takeApart(passport);
    const members = [{ crit: ['exp'] }, { crit: [] }, { crit: ['b64'], b64: false }, { zip: 'DEF' }];
    return members.flatMap((member) => [
      assemble({ ...header, ...member }, payload, signature),
      signedByAttacker({ ...header, ...member }, payload),
    ]);
  }));

test('B16 tokens of other kinds are no passport', async () => {
  const { token } = await signedIn();
  await expectRefused((passport) => {
    const { header, payload } = takeApart(passport);
    const types = ['at+jwt', 'JWT', 'logout+jwt', 'dpop+jwt', 'dbsc+jwt', 'event+jws', 'application/passport+jwt', 'PASSPORT+JWT', ''];
    return [token, ...types.map((typ) => signedByAttacker({ ...header, typ }, payload))];
  });
});

test('B17 claims spelt twice, out of time or of the wrong type are refused', () =>
  expectRefused((passport) => {
    const { header, payload } = takeApart(passport);
    const text = JSON.stringify(payload);
    const spelt = [
      text.replace('{', '{"sub":"u_admin",'),
      text.replace('{', '{"aud":["cart","profile"],'),
      text.replace(/"exp":[\d.]+/, '"exp":"9999999999"'),
      text.replace(/"exp":[\d.]+/, '"exp":1e308'),
      text.replace(/"iat":[\d.]+/, `"iat":${Date.now() / 1000 + 3_600}`),
      text.replace('}', `,"nbf":${Date.now() / 1000 + 3_600}}`),
    ];
    return spelt.flatMap((claims) => [signedByAttacker(header, claims), assemble(header, claims, takeApart(passport).signature)]);
  }));

test('B18 a signature of zeros verifies nothing', () =>
  expectRefused((passport) => {
    const { header, payload } = takeApart(passport);
    const half = Buffer.alloc(32);
    const one = Buffer.alloc(32, 0);
    one[31] = 1;
    const signatures = [
      Buffer.concat([half, half]),
      Buffer.concat([one, half]),
      Buffer.concat([half, one]),
      Buffer.alloc(0),
      Buffer.alloc(64, 255),
    ];
    return signatures.map((signature) => assemble(header, payload, signature.toString('base64url')));
  }));

test('B52 a header that names another algorithm than its key opens nothing', async () => {
  const keys = await publicKeys();
  await expectRefused((passport) => {
    const { header, payload } = takeApart(passport);
    const macs = keys.flatMap((key) => ['Ed25519', 'EdDSA'].flatMap((alg) => macsByPublicKey(key, { ...header, alg }, payload)));
    return [...renamed(passport), ...macs];
  });
});
