import { create, createFileRegistry, type DescService, setExtension } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import {
  AuthService,
  CartService,
  CatalogService,
  Identity,
  MethodPolicySchema,
  OperationClass,
  policy,
  ProfileService,
} from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { policiesOf, serviceNameOf } from './contract.ts';

type Stated = Partial<{
  identity: Identity;
  operationClass: OperationClass;
  budgetMs: number;
  authenticationAgeMaxS: number;
  callers: string[];
  delegates: string[];
}>;

/** A contract made up for the test: one method with this policy, or with none. */
function serviceWith(stated: Stated | undefined, serverStreaming = false): DescService {
  const options = create(MethodOptionsSchema);
  if (stated !== undefined) setExtension(options, policy, create(MethodPolicySchema, stated));
  const file = {
    name: 't.proto',
    package: 'cloakroom.t.v1',
    syntax: 'proto3',
    messageType: [{ name: 'M' }],
    service: [
      { name: 'T', method: [{ name: 'Do', inputType: '.cloakroom.t.v1.M', outputType: '.cloakroom.t.v1.M', serverStreaming, options }] },
    ],
  };
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService('cloakroom.t.v1.T')!;
}

const good = { identity: Identity.USER, operationClass: OperationClass.CART, budgetMs: 100, callers: ['gateway'] };

describe('a policy', () => {
  it.each([AuthService, CartService, ProfileService, CatalogService])('is stated by every method of $typeName', (service) => {
    expect(policiesOf(service).size).toBe(service.methods.length);
    expect(service.methods.length).toBeGreaterThan(0);
  });

  it('is read from the contract', () => {
    expect([...policiesOf(serviceWith(good)).values()]).toMatchObject([good]);
    expect(serviceNameOf(serviceWith(good))).toBe('t');
  });

  it.each<[string, Stated | undefined, string]>([
    ['missing', undefined, 'has no policy'],
    ['empty', {}, 'states no identity'],
    ['without an identity', { ...good, identity: Identity.UNSPECIFIED }, 'states no identity'],
    ['with an identity of the future', { ...good, identity: 99 as Identity }, 'states no identity'],
    ['without a class', { ...good, operationClass: OperationClass.UNSPECIFIED }, 'states no class'],
    ['without a budget', { ...good, budgetMs: 0 }, 'only a stream'],
    ['that delegates what is for nobody', { ...good, identity: Identity.SERVICE, delegates: ['orders'] }, 'for no person'],
    ['with a step-up for nobody', { ...good, identity: Identity.NONE, authenticationAgeMaxS: 300 }, 'step up'],
    ['that is sensitive for nobody', { ...good, identity: Identity.SERVICE, operationClass: OperationClass.SENSITIVE }, 'needs a person'],
  ])('%s keeps the process from starting', (_what, stated, why) => {
    expect(() => policiesOf(serviceWith(stated))).toThrow(why);
    expect(() => policiesOf(serviceWith(stated))).toThrow('cloakroom.t.v1.T/Do');
  });

  it('may leave the budget of a stream open', () => {
    expect(policiesOf(serviceWith({ ...good, budgetMs: 0 }, true)).size).toBe(1);
  });
});
