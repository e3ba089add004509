import 'reflect-metadata';
import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Outcome } from '../http-exchange.ts';
import { CurrentExchange, InputHeaders, Policy } from './policy.ts';
import { routesOf } from './route-list.ts';

const policy = { summary: 'A test.', operationClass: 'public', identity: 'none', budgetMs: 1, answers: {} } as const;
const [params, query, headers, body] = ['id', 'page', 'if-match', 'name'].map((field) => z.object({ [field]: z.string() })) as [
  z.ZodObject,
  z.ZodObject,
  z.ZodObject,
  z.ZodObject,
];

@Controller('api/things')
class Things {
  @Get()
  @Policy(policy)
  list(@Query({ schema: query }) _query: object): Outcome {
    return { status: 200 };
  }

  @Delete(':id/parts/:part')
  @Policy({ ...policy, errors: ['not_found'] })
  remove(
    @CurrentExchange() _exchange: object,
    @InputHeaders({ schema: headers }) _headers: object,
    @Body({ schema: body }) _body: object,
    @Param({ schema: params }) _params: object,
  ): Outcome {
    return { status: 204 };
  }

  /** No route: no decorator of Nest says so. */
  helper(): Outcome {
    return { status: 200 };
  }
}

@Controller()
class Unruled {
  @Post('open')
  open(): Outcome {
    return { status: 200 };
  }
}

@Controller()
class Unchecked {
  @Post('open')
  @Policy(policy)
  open(@Body() _body: object): Outcome {
    return { status: 200 };
  }
}

describe('the list of routes', () => {
  it('has method, path, policy and the schema of each input, as Nest keeps them', () => {
    expect(routesOf([Things])).toEqual([
      { ...policy, method: 'GET', path: '/api/things', query },
      { ...policy, errors: ['not_found'], method: 'DELETE', path: '/api/things/{id}/parts/{part}', params, headers, body },
    ]);
  });

  it('takes no inherited route without a policy', () => {
    @Controller('own')
    class Heir extends Unruled {}
    expect(() => routesOf([Heir])).toThrow('Heir.open states no policy');
  });

  it('takes no input without a schema, and names it', () => {
    expect(() => routesOf([Unchecked])).toThrow('Unchecked.open takes its body without a schema');
  });

  it('takes no route without a policy, and names it', () => {
    expect(() => routesOf([Things, Unruled])).toThrow('Unruled.open states no policy');
  });
});
