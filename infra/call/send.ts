/** Sends one call and prints both directions. A signature is never printed whole: a passport in a terminal's history would still be one. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type DescMessage, fromJson, type JsonObject, type JsonValue, type MessageShape, toJson } from '@bufbuild/protobuf';
import { callMetadata, developer, isProblem, type Problem, uuidV7 } from '@cloakroom/contracts';
import {
  connectMesh,
  formatTimings,
  type MeshTls,
  nameOf,
  type OutgoingCall,
  serviceNameOf,
  type Timing,
  writeCallMetadata,
} from '@cloakroom/mesh';
import { createLogger, startTrace } from '@cloakroom/platform';
import type { RunningShop } from '../cli/running-shop.ts';
import { StackError } from '../stack/outcome.ts';
import { serviceNames } from '../stack/stack.ports.ts';
import { type Found, isReserved, policyInWords } from './methods.ts';

export interface Door {
  /** The service as certificates and passports name it. */
  readonly audience: string;
  readonly address: string;
  readonly proof: { readonly tls: MeshTls | undefined; readonly secret: string | undefined };
  readonly observatory: RunningShop['state']['observatory'];
}

/** Where the service of this method listens in the shop that runs here. */
export async function doorOf(shop: RunningShop, { method }: Found): Promise<Door> {
  const audience = serviceNameOf(method.parent);
  const service = serviceNames.find((name) => name === audience);
  if (service === undefined) throw new StackError(`no process of the shop serves ${audience}`, 'npm run call -- --list');
  const address = `localhost:${shop.ports[service].mesh}`;
  return { audience, address, proof: await shop.developer(), observatory: shop.state.observatory };
}

type Print = (line: string) => void;
type AnyCall = (call: OutgoingCall, request: object) => Promise<object> | AsyncIterable<object>;

/** @returns the exit code: 1 where the service refused or failed */
export async function send(
  { method, policy }: Found,
  { audience, address, proof, observatory }: Door,
  { passport, request }: { readonly passport: string | undefined; readonly request: object },
  print: Print,
): Promise<number> {
  const trace = startTrace(randomBytes);
  let timings: readonly Timing[] = [];
  const stop = new AbortController();
  const outgoing: OutgoingCall = {
    budgetMs: policy.budgetMs === 0 ? Number.POSITIVE_INFINITY : policy.budgetMs,
    signal: stop.signal,
    passport,
    trace,
    onTiming: (entries) => (timings = entries),
  };
  print(`-> ${nameOf(method)} at ${address}, as the caller ${developer}`);
  print(`policy         ${policyInWords(policy)}`);
  if (isReserved(policy)) print('               so the answer will be forbidden: this method is between services');
  printSent(outgoing, proof, print);
  print(`request        ${inJson(method.input, request)}`);
  const { client, close } = connectMesh(method.parent, { address, ...proof, log: createLogger('call', 'silent') });
  const startedMs = performance.now();
  const call = (client as unknown as Readonly<Record<string, AnyCall>>)[method.localName]!;
  try {
    const answer = call(outgoing, request);
    const code =
      answer instanceof Promise ? printAnswer(method.output, await answer, print) : await printStream(method.output, answer, stop, print);
    print(`took           ${Math.round((performance.now() - startedMs) * 10) / 10} ms, the connection included`);
    if (timings.length > 0) print(`Server-Timing  ${formatTimings(timings)}`);
    print(`trace          ${trace.traceId}`);
    if (observatory !== undefined) print(`see it happen  ${observatory.url}/requests/${trace.traceId}`);
    else print(`               ${audience} logs this id where something fails; the Observatory would show the request, and does not run`);
    return code;
  } finally {
    close();
  }
}

/** @throws StackError that names the fields there are */
export function requestOf<Input extends DescMessage>(input: Input, json: string | undefined): MessageShape<Input> {
  try {
    const given = JSON.parse(json ?? '{}') as JsonObject;
    const lacksId =
      input.fields.some(({ jsonName }) => jsonName === 'commandId') && !Array.isArray(given) && given['commandId'] === undefined;
    return fromJson(input, lacksId ? { ...given, commandId: uuidV7(Date.now(), randomBytes(16)) } : given);
  } catch (error) {
    const fields = input.fields.map(({ jsonName }) => jsonName).join(', ') || 'none';
    const why = error instanceof Error ? error.message : String(error);
    throw new StackError(`--json is no ${input.name}: ${why}`, `its fields are: ${fields}`);
  }
}

function printSent(call: OutgoingCall, { secret }: Door['proof'], print: Print): void {
  print('metadata');
  for (const [key, value] of Object.entries(writeCallMetadata({ ...call, traceparent: call.trace.traceparent }).getMap()))
    print(`  ${key}: ${key === callMetadata.passport ? shortened(String(value)) : String(value)}`);
  if (secret !== undefined) print(`  ${callMetadata.meshSecret}: (the developer's secret of this start, not shown)`);
  else print(`  proof of the caller: the certificate CN=${developer}`);
  if (call.passport === undefined) print('claims         none: no passport was sent');
  else print(`claims         ${JSON.stringify(claimsOf(call.passport), undefined, 2).replaceAll('\n', '\n               ')}`);
}

const claimsOf = (passport: string): JsonValue =>
  JSON.parse(Buffer.from(passport.split('.')[1] ?? '', 'base64url').toString()) as JsonValue;

/** Enough to compare two passports by eye. */
const shownLength = 6;

/** @returns the header as it was signed, and only the beginning of the signature; the claims are printed apart */
export function shortened(passport: string): string {
  const [header = '', , signature = ''] = passport.split('.');
  const signed = Buffer.from(header, 'base64url').toString();
  return `${signed} . claims below . ${signature.slice(0, shownLength)}… (${signature.length} characters of signature, not shown)`;
}

/** A message may hold a passport itself: the answer of Resolve does. */
const inJson = (schema: DescMessage, message: object, indent?: number): string =>
  JSON.stringify(toJson(schema, message as MessageShape<DescMessage>, { alwaysEmitImplicit: true }), undefined, indent).replace(
    /eyJ[\w-]+\.[\w-]+\.[\w-]+/g,
    (token) => shortened(token).replaceAll('"', "'"),
  );

function printAnswer(schema: DescMessage, answer: object, print: Print): number {
  if (isProblem(answer)) return printProblem(answer, print);
  print(`<- ok          ${inJson(schema, answer, 2)}`);
  return 0;
}

function printProblem(found: Problem, print: Print): number {
  print(`<- refused     ${JSON.stringify(found)}`);
  return 1;
}

/** Prints each message until the stream ends or the person presses Ctrl-C. */
async function printStream(schema: DescMessage, answers: AsyncIterable<object>, stop: AbortController, print: Print): Promise<number> {
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
    stop.abort();
  });
  print('a stream: Ctrl-C ends it');
  for await (const answer of answers) {
    if (interrupted) return 0;
    const code = printAnswer(schema, answer, print);
    if (code !== 0) return code;
  }
  return 0;
}
