/**
 * Queries whose text is made once for each database. Making it takes longer than SQLite takes to answer. Only the text is kept: rows are read each time,
 * since another replica may have changed them.
 */
import type { Compilable, CompiledQuery, Kysely } from 'kysely';
import type { AuthSchema } from './migrations.ts';

/**
 * @param build makes the query with any value in each place; the values of a call replace them, in the order of the text
 * @returns the first row
 */
export function prepared<Row>(build: (database: Kysely<AuthSchema>) => Compilable<Row>) {
  const made = new WeakMap<Kysely<AuthSchema>, CompiledQuery<Row>>();
  return async (database: Kysely<AuthSchema>, parameters: readonly string[]): Promise<Row | undefined> => {
    let query = made.get(database);
    if (query === undefined) made.set(database, (query = build(database).compile()));
    if (query.parameters.length !== parameters.length) throw new RangeError('the query has another number of places');
    return (await database.executeQuery<Row>({ ...query, parameters })).rows[0];
  };
}
