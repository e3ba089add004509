/** The words of `npm run call`. e2e/sessions/call-an-rpc.e2e.ts makes real calls. */
import { AddItemRequestSchema, developer, uuidV7Milliseconds } from '@cloakroom/contracts';
import { policyOf } from '@cloakroom/mesh';
import { describe, expect, it } from 'vitest';
import { services } from '../checks/contracts.ts';
import { findMethod, findService, isReserved, listMethods, nearest } from './methods.ts';
import { requestOf, shortened } from './send.ts';

describe('the list', () => {
  it('names every method of every contract with its policy, and marks those that refuse developers', () => {
    const text = listMethods().join('\n');
    for (const { name } of services.flatMap(({ methods }) => methods)) expect(text).toContain(`  ${name}`);
    expect(text).toContain(
      '  GetCart\n    for a guest or a user; class CART; at most 1500 ms; called by gateway; for a person also by orders',
    );
    expect(text).toContain('  RotateKeys (refuses developers)');
    expect(text).toContain('  Watch (stream)');
    const refusing = services.flatMap(({ methods }) => methods).filter((method) => isReserved(policyOf(method)));
    expect(text.split('(refuses developers)')).toHaveLength(refusing.length + 1);
    expect(refusing.map(({ name }) => name)).not.toContain('Resolve');
    expect(policyOf(findMethod('auth', 'Resolve').method).callers).toContain(developer);
  });

  it('shows the fields of a request', () => {
    expect(listMethods(findService('cart'), 'SetQuantity').join('\n')).toMatch(/commandId: text\n.*lineId: text\n.*quantity: number/);
  });
});

describe('a method', () => {
  it('is found in any case, by the short or the whole name of its service', () => {
    for (const service of ['cart', 'CartService', 'cloakroom.cart.v1.CartService'])
      expect(findMethod(service, 'getcart').method.name).toBe('GetCart');
    expect(findMethod('auth', 'ExchangeToken').method.parent.name).toBe('TokenExchangeService');
  });

  it('that does not exist is answered with the nearest names', () => {
    expect(() => findMethod('cart', 'GetCrat')).toThrow('cart has no method GetCrat');
    expect(nearest('GetCrat', ['AddItem', 'GetCart', 'Watch'])).toEqual(['GetCart']);
    expect(nearest('cart', ['ClearCart', 'GetCart', 'Watch'])).toEqual(['ClearCart', 'GetCart']);
    expect(nearest('nothing alike', ['GetCart'])).toEqual([]);
    expect(() => findService('crat')).toThrow('there is no service crat');
  });
});

describe('a request', () => {
  it('gets a command id where it has none, and keeps the one it has', () => {
    expect(uuidV7Milliseconds(requestOf(AddItemRequestSchema, '{"quantity":2}').commandId)).toBeGreaterThan(0);
    expect(requestOf(AddItemRequestSchema, '{"commandId":"mine"}').commandId).toBe('mine');
  });

  it.each(['{', '{"product":1}', '{"quantity":"many"}', '[]', 'null'])('that is none is refused: %s', (json) => {
    expect(() => requestOf(AddItemRequestSchema, json)).toThrow('--json is no AddItemRequest');
  });
});

it('a passport is shown without its signature', () => {
  const signature = 's'.repeat(86);
  const shown = shortened(`${Buffer.from('{"alg":"ES256"}').toString('base64url')}.claims.${signature}`);
  expect(shown).toContain('{"alg":"ES256"}');
  expect(shown).toContain('ssssss… (86 characters of signature, not shown)');
  expect(shown).not.toContain('sssssss');
});
