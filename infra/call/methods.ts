/** The services and methods of the contracts, found by the words that a person types, and their policies in words. */
import type { DescField, DescMethod, DescService } from '@bufbuild/protobuf';
import { developer, Identity, type MethodPolicy, OperationClass } from '@cloakroom/contracts';
import { policyOf, serviceNameOf } from '@cloakroom/mesh';
import { services } from '../checks/contracts.ts';
import { StackError } from '../stack/outcome.ts';

export interface Found {
  readonly method: DescMethod;
  readonly policy: MethodPolicy;
}

const names = [...new Set(services.map(serviceNameOf))].toSorted();
const sameWord = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** @param word "cart", "CartService" or "cloakroom.cart.v1.CartService". @returns one or several: auth has four. @throws StackError */
export function findService(word: string): readonly DescService[] {
  const found = services.filter((service) => [serviceNameOf(service), service.name, service.typeName].some((name) => sameWord(name, word)));
  if (found.length === 0) throw unknown(`there is no service ${word}`, word, names);
  return found;
}

/** @throws StackError that names the nearest methods */
export function findMethod(serviceWord: string, methodWord: string): Found {
  const methods = findService(serviceWord).flatMap((service) => service.methods);
  const method = methods.find(({ name }) => sameWord(name, methodWord));
  if (method !== undefined) return { method, policy: policyOf(method) };
  const known = methods.map(({ name }) => name);
  throw unknown(`${serviceWord} has no method ${methodWord}`, methodWord, known);
}

function unknown(what: string, word: string, known: readonly string[]): StackError {
  const near = nearest(word, known);
  return new StackError(what, `${near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `}npm run call -- --list names all of them`);
}

/** A third of a word may be wrong, and two of its letters in any case. */
const wrongMax = (word: string): number => Math.max(2, Math.floor(word.length / 3));
const nearCountMax = 3;

/** @returns names with few wrong letters, or that hold the word, the nearest first */
export function nearest(word: string, known: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  return known
    .map((name) => ({ name, wrong: name.toLowerCase().includes(wanted) ? 0 : lettersApart(wanted, name.toLowerCase()) }))
    .filter(({ wrong }) => wrong <= wrongMax(word))
    .toSorted((a, b) => a.wrong - b.wrong)
    .slice(0, nearCountMax)
    .map(({ name }) => name);
}

/** Letters to insert, delete or replace (Levenshtein 1966). */
function lettersApart(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (letter === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}

const people: Partial<Record<Identity, string>> = {
  [Identity.NONE]: 'everybody',
  [Identity.GUEST]: 'a guest or a user',
  [Identity.USER]: 'a user who has signed in',
  [Identity.SERVICE]: 'services alone',
};

/** "for a guest or a user; class CART; at most 1500 ms; called by gateway; for a person also by orders" */
export function policyInWords(policy: MethodPolicy): string {
  const { identity, operationClass, budgetMs, callers, authenticationAgeMaxS, delegates } = policy;
  return [
    `for ${people[identity] ?? 'nobody'}`,
    `class ${OperationClass[operationClass]}`,
    budgetMs === 0 ? 'a stream that stays open' : `at most ${budgetMs} ms`,
    `called by ${callers.join(', ') || 'nobody'}`,
    ...(delegates.length > 0 ? [`for a person also by ${delegates.join(', ')}`] : []),
    ...(authenticationAgeMaxS > 0 ? [`signed in less than ${authenticationAgeMaxS} s ago`] : []),
  ].join('; ');
}

/** A method between services refuses the developer, unless its policy names it: libs/identity admission.ts. */
export const isReserved = ({ identity, callers }: MethodPolicy): boolean => identity === Identity.SERVICE && !callers.includes(developer);

/** @param of all services by default. @param methodWord with it, the fields of its request too */
export function listMethods(of: readonly DescService[] = services, methodWord?: string): string[] {
  if (methodWord !== undefined) {
    const { method, policy } = findMethod(serviceNameOf(of[0]!), methodWord);
    return [...described(method, policy), ...fieldsOf(method)];
  }
  return of.flatMap((service) => [
    `${serviceNameOf(service)} (${service.typeName})`,
    ...service.methods.flatMap((method) => described(method, policyOf(method)).map((line) => `  ${line}`)),
    '',
  ]);
}

const described = (method: DescMethod, policy: MethodPolicy): string[] => [
  `${method.name}${method.methodKind === 'unary' ? '' : ' (stream)'}${isReserved(policy) ? ' (refuses developers)' : ''}`,
  `  ${policyInWords(policy)}`,
];

function fieldsOf({ input }: DescMethod): string[] {
  if (input.fields.length === 0) return ['  its request has no fields'];
  return ['  its request:', ...input.fields.map((field) => `    ${field.jsonName}: ${typeOf(field)}`)];
}

function typeOf(field: DescField): string {
  const one = field.message?.name ?? field.enum?.values.map(({ name }) => name).join(' | ') ?? scalars[field.scalar ?? 0] ?? 'a value';
  return field.fieldKind === 'list' ? `list of ${one}` : one;
}

/** Protobuf's JSON writes 64-bit numbers and bytes as text. */
const scalars: Readonly<Record<number, string>> = {
  8: 'true or false',
  9: 'text',
  12: 'bytes in base64',
  13: 'number',
  5: 'number',
  3: 'number as text',
  4: 'number as text',
  1: 'number',
};
