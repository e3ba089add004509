/**
 * `npm run call -- cart GetCart`: calls any rpc of the shop that runs here, and shows what went out and what came back. The caller is `developer`,
 * which only a local shop admits (docs/decisions/0027-the-caller-developer.md).
 */
import { Identity } from '@cloakroom/contracts';
import { oneOf, portBases, runCommandLine, UsageError, wholeNumber } from '../cli/command-line.ts';
import { runningShop, type WhichShop } from '../cli/running-shop.ts';
import { StackError } from '../stack/outcome.ts';
import { regionNames } from '../stack/stack.ports.ts';
import { findMethod, findService, listMethods, type Found } from './methods.ts';
import { openPassports, type Passports } from './passports.ts';
import { type Door, doorOf, requestOf, send } from './send.ts';

const help = `npm run call -- SERVICE METHOD [--json '{...}'] [--email E]
npm run call -- --list [SERVICE [METHOD]]

Calls an rpc as the caller "developer" and prints all of it: the metadata with the claims of the passport, the answer as JSON, the time that each
hop took, and the id of the trace. Only a shop that npm start runs here as native or embedded admits this caller.

SERVICE is cart, profile, catalog, orders or auth. METHOD is a name like GetCart.

  --json '{...}'  the request, in protobuf's JSON; {} by default. A commandId that is missing is made
  --email E       sign in as this person. The password is asked for, or read from standard input where that is no terminal
  --list          the methods with their policies; with a METHOD, the fields of its request
  --port-base P   which shop, where several run
  --region R      eu or us, where two regions run (default: eu)

Without --email the call is made for a throw-away account, which is made over the public API and used again until the shop's data go.`;

interface Told extends WhichShop {
  readonly json: string | undefined;
  readonly email: string | undefined;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const options = {
  json: { type: 'string' },
  email: { type: 'string' },
  list: { type: 'boolean' },
  'port-base': { type: 'string' },
  region: { type: 'string' },
} as const;

await runCommandLine({ help, options, wordCountMax: 2 }, async (values, [service, method]) => {
  if (values.list === true) return list(service, method);
  if (service === undefined || method === undefined) throw new UsageError('which rpc? For example: npm run call -- cart GetCart');
  const { json, email } = values;
  const portBase = wholeNumber('--port-base', values['port-base'], portBases);
  const region = values.region === undefined ? undefined : oneOf('--region', values.region, regionNames);
  const told = { json, email, portBase, region };
  const code = await call(findMethod(service, method), told);
  // A connection of a library must not keep the command alive.
  process.exit(code);
});

function list(service: string | undefined, method: string | undefined): number {
  const services = service === undefined ? undefined : findService(service);
  print(listMethods(services, method).join('\n'));
  return 0;
}

async function call(found: Found, { json, email, ...which }: Told): Promise<number> {
  const shop = runningShop(which);
  if (!shop.developers)
    throw new StackError(
      `the shop that runs here is ${shop.state.provider}, which admits no developer`,
      'npm start -- --infra native or --infra embedded',
    );
  const request = requestOf(found.method.input, json);
  const door = await doorOf(shop, found);
  // A method for everybody, or one between services, gets no person unless one was asked for.
  const forPerson = found.policy.identity === Identity.GUEST || found.policy.identity === Identity.USER;
  const passports = forPerson || email !== undefined ? await openPassports(shop, email) : undefined;
  try {
    return await withPassport(found, door, passports, request);
  } finally {
    await passports?.end();
  }
}

async function withPassport(found: Found, door: Door, passports: Passports | undefined, request: object): Promise<number> {
  if (passports !== undefined) print(`signed in as   ${passports.account}`);
  // Asked for right before the call: a sensitive method takes no passport that is older than 2 s.
  const passport = await passports?.issue(door.audience);
  return send(found, door, { passport, request }, print);
}
