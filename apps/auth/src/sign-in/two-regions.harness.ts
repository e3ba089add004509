/** Two auths in one process, each the other's other region, with an ocean between them that can be cut, and what tests of addresses ask of them. */
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import {
  ChangeEmailRequestSchema,
  ClaimAddressRequestSchema,
  ClaimAddressResponseSchema,
  ClaimGuestRequestSchema,
  ClaimGuestResponseSchema,
  deciderOf,
  GiveUpAddressRequestSchema,
  GiveUpAddressResponseSchema,
  isProblem,
  LoginAtHomeRequestSchema,
  LoginSecondFactorRequestSchema,
  LoginWithPasskeyAtHomeRequestSchema,
  problem,
  type Problem,
  SessionIssuedSchema,
} from '@cloakroom/contracts';
import { claimAddress, giveUpAddress } from '../accounts/decide-address.ts';
import { contextOf, type Harness, openHarness, personWith } from '../auth.harness.ts';
import type { Auth } from '../auth.ts';
import type { Abroad } from '../accounts/abroad.ts';
import { changeEmail } from './change-email.ts';
import { claimGuest } from './claim-abroad.ts';
import { loginAtHome, loginSecondFactorAtHome, loginWithPasskeyAtHome } from './login-at-home.ts';

export interface Ocean {
  isCut: boolean;
  /** Questions arrive, and answers do not. */
  losesAnswers: boolean;
  /** Before and after each crossing. */
  delay?: (() => Promise<void>) | undefined;
  /** Everything that crossed, or tried to. */
  readonly asked: { readonly to: string; readonly request: object }[];
}

type Region = Harness & { readonly auth: Auth & { readonly abroad: Abroad } };

export interface TwoRegions {
  readonly eu: Region;
  readonly us: Region;
  readonly ocean: Ocean;
}

export async function twoRegions(options: Parameters<typeof openHarness>[0] = {}): Promise<TwoRegions> {
  const ocean: Ocean = { isCut: false, losesAnswers: false, asked: [] };
  const regions: { eu?: Region; us?: Region } = {};
  for (const [region, to] of [
    ['eu', 'us'],
    ['us', 'eu'],
  ] as const) {
    const harness = await openHarness({ ...options, region });
    regions[region] = { ...harness, auth: { ...harness.auth, abroad: across(ocean, to, () => regions[to]!.auth) } };
  }
  return { eu: regions.eu!, us: regions.us!, ocean };
}

function across(ocean: Ocean, to: string, there: () => Auth): Abroad {
  const crossing =
    <Request extends DescMessage, Answer extends DescMessage>(
      [asked, answered]: readonly [Request, Answer],
      handle: (request: MessageShape<Request>) => Promise<MessageInitShape<Answer> | Problem>,
    ) =>
    async (_call: unknown, request: MessageInitShape<Request>): Promise<MessageShape<Answer> | Problem> => {
      ocean.asked.push({ to, request });
      await ocean.delay?.();
      if (ocean.isCut) return problem('connection_lost');
      const answer = await handle(create(asked, request));
      await ocean.delay?.();
      if (ocean.isCut || ocean.losesAnswers) return problem('deadline_exceeded');
      return isProblem(answer) ? answer : create(answered, answer as MessageInitShape<Answer>);
    };
  return {
    region: to,
    client: {
      loginAtHome: crossing([LoginAtHomeRequestSchema, SessionIssuedSchema], (request) => loginAtHome(there(), contextOf(), request)),
      loginSecondFactorAtHome: crossing([LoginSecondFactorRequestSchema, SessionIssuedSchema], (request) =>
        loginSecondFactorAtHome(there(), contextOf(), request),
      ),
      loginWithPasskeyAtHome: crossing([LoginWithPasskeyAtHomeRequestSchema, SessionIssuedSchema], (request) =>
        loginWithPasskeyAtHome(there(), contextOf(), request),
      ),
      claimAddress: crossing([ClaimAddressRequestSchema, ClaimAddressResponseSchema], (request) => claimAddress(there(), request)),
      claimGuest: crossing([ClaimGuestRequestSchema, ClaimGuestResponseSchema], (request) => claimGuest(there(), contextOf(), request)),
      giveUpAddress: crossing([GiveUpAddressRequestSchema, GiveUpAddressResponseSchema], (request) => giveUpAddress(there(), request)),
    },
  };
}

export const names = ['eu', 'us'] as const;

/** Addresses that a region decides, another one at each call. */
let drawn = 0;
export function decidedBy(region: string): string {
  for (;;) {
    const email = `person-${(drawn += 1)}@example.com`;
    if (deciderOf(email, names) === region) return email;
  }
}

/** The outcome of a sign-up in a word. */
export const codeOf = async (answer: Promise<object>): Promise<string> => {
  const told = await answer;
  return isProblem(told) ? told.problem : 'signed up';
};

/** The homes of every account with this address. */
export const homesOf = async ({ eu, us }: TwoRegions, email: string): Promise<string[]> => {
  const rows = await Promise.all(
    [eu, us].map(({ auth }) => auth.database.selectFrom('accounts').select('home').where('email', '=', email).execute()),
  );
  return rows.flat().map(({ home }) => home);
};

/** Asks for another e-mail address. */
export const renamed = async (harness: Harness, token: string, email: string) =>
  changeEmail(
    harness.auth,
    await personWith(harness, token),
    create(ChangeEmailRequestSchema, { email, token, remoteAddress: '192.0.2.1' }),
  );
