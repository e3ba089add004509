/**
 * The page and the test clients read answers by types that are made from the routes. This test makes them again and compares. After a
 * change of a schema, this command writes them anew:
 *
 *     npm test -w @cloakroom/gateway -- src/operations/http-types.test.ts -u
 *
 * openapi-typescript needs the API of TypeScript 5, which 7 does not have. So this package has a TypeScript of its own, for nothing else.
 */
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';
import { routes } from '../testing/routes.fixture.ts';
import { describeRoutes, type OpenApiDocument } from './openapi.ts';

const file = join(import.meta.dirname, '../../../../libs/contracts/http/gen/api.d.ts');
const head =
  '/** Types of what the HTTP API takes and answers, from /openapi.json. apps/gateway/src/operations/http-types.test.ts says how it is made. */\n';

it('the types of the HTTP API are those of the routes', async () => {
  const document = JSON.stringify(onlySchemas(describeRoutes(routes, [])));
  const types = await openapiTS(document, { immutable: true, rootTypes: true, rootTypesNoSchemaPrefix: true, silent: true });
  await expect(head + astToString(types)).toMatchFileSnapshot(file);
});

/** The named schemas, and each request body under the name of its operation. Types of all paths would be 7,000 lines more, and nothing uses them. */
function onlySchemas({ paths = {}, components, ...rest }: OpenApiDocument): object {
  const bodies = Object.values(paths).flatMap((path) =>
    [path.post, path.put, path.patch, path.delete].flatMap((operation) => {
      const body = operation?.requestBody;
      const json = body !== undefined && 'content' in body ? body.content['application/json'] : undefined;
      return json !== undefined && 'schema' in json ? [[`${operation!.operationId}Body`, json.schema]] : [];
    }),
  );
  return { ...rest, paths: {}, components: { schemas: { ...components?.schemas, ...Object.fromEntries(bodies) } } };
}
