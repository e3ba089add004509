/**
 * Plain reads of the session store: no script. One MGET takes a session's record, both tombstones and its person's index, all in one slot. It is one
 * command, so it shows one moment, and `liveRecord` judges that moment.
 *
 * - A token tells neither its handle nor its subject, and two of the four keys are named by them. The process remembers both names for each token that
 *   it has met. They only say which keys to ask for: a record that names others proves nothing.
 * - After the reads of a packet, `INFO replication` on the same connection tells which server answered them. It must be a primary that had been told
 *   all revocations before the packet was sent (session.servers.ts). It comes last: a server that is still that primary was it before, too.
 * - Reads of one turn of the event loop share a packet and that question.
 * - 'doubt' is the answer wherever the reads prove nothing, and then the script `resolve` judges. The names are unknown. Record or index are absent, of
 *   the hash layout, damaged or newer. The record is another session's (a desynchronised connection). Another server answered. The slot moves.
 *
 * In a slot that moves, absent keys may be on the other node. Redis answers an MGET there only if all four keys are present, and then a tombstone is.
 */
import { Command, type Redis } from 'ioredis';
import { sessionKey, subjectKey, tombstoneKey } from './keys.ts';
import { liveRecord } from './session.liveness.ts';
import { lookUp, unpack } from './session.redis.record.ts';
import { isErrorReply, unavailable } from './session.redis.replies.ts';
import { isTrusted, primaryOf, type RedisConnection, type Servers } from './session.servers.ts';
import { connectionFor } from './session.slots.ts';
import type { SessionRecord, TokenKey } from './session.store.ts';

/** Everybody who acts within some minutes. An entry has two UUIDs under a hash, some 250 bytes: 30 MB. Beyond it, a read is a script. */
const namesMax = 120_000;
/** A larger turn is sent in several packets, so that the first answers need not wait for the last question. */
const readsPerPacketMax = 128;

interface Names {
  readonly handle: string;
  readonly subject: string;
}

interface Question {
  readonly keys: string[];
  /** @param server undefined where the answer's server may not be believed */
  readonly answer: (values: readonly unknown[] | 'doubt') => void;
  readonly fail: (error: unknown) => void;
}

export class Reads {
  readonly #redis: RedisConnection;
  readonly #servers: Servers;
  readonly #names = new Map<string, Names>();
  #turn = new Map<Redis, Question[]>();

  constructor(redis: RedisConnection, servers: Servers) {
    this.#redis = redis;
    this.#servers = servers;
  }

  remember({ hash, handle, subject }: SessionRecord): void {
    const names = this.#names.get(hash);
    this.#names.delete(hash);
    this.#names.set(hash, names?.handle === handle && names.subject === subject ? names : { handle, subject });
    if (this.#names.size > namesMax) this.#names.delete(this.#names.keys().next().value!);
  }

  /** @throws StoreUnavailable when the server does not answer */
  async look(key: TokenKey, nowMs: number): Promise<SessionRecord | undefined | 'doubt'> {
    const { tag, hash } = key;
    const names = this.#names.get(hash);
    const connection = connectionFor(this.#redis, tag);
    if (names === undefined || connection === undefined) return 'doubt';
    const keys = [sessionKey(tag, hash), tombstoneKey(tag, hash), tombstoneKey(tag, names.handle), subjectKey(tag, names.subject)];
    const values = await new Promise<readonly unknown[] | 'doubt'>((answer, fail) => this.#ask(connection, { keys, answer, fail }));
    const verdict = values === 'doubt' ? 'doubt' : judge(key, names, values, nowMs);
    // The script will tell whose it is, if it is anybody's.
    if (verdict === 'doubt' || verdict === undefined) this.#names.delete(hash);
    return verdict;
  }

  #ask(connection: Redis, question: Question): void {
    // Runs when all that this turn has set off is done, promises included.
    if (this.#turn.size === 0) process.nextTick(() => this.#send());
    const questions = this.#turn.get(connection);
    if (questions === undefined) this.#turn.set(connection, [question]);
    else questions.push(question);
  }

  #send(): void {
    const turn = this.#turn;
    this.#turn = new Map();
    for (const [connection, questions] of turn)
      for (let from = 0; from < questions.length; from += readsPerPacketMax)
        void this.#sendPacket(connection, questions.slice(from, from + readsPerPacketMax));
  }

  async #sendPacket(connection: Redis, questions: readonly Question[]): Promise<void> {
    // A server that is told everything while the packet is on its way was not yet told when it answered.
    const trusted = this.#servers.trusted();
    const answers: unknown[] = [];
    let packet = '';
    // ioredis writes each command for itself, and making a pipeline costs it more than two commands.
    const into = { isPipeline: true, destination: { redis: connection }, write: (data: unknown) => void (packet += String(data)) } as const;
    const send = (name: string, args: string[], keep: (answer: unknown) => void): Promise<void> => {
      const command = new Command(name, args, { replyEncoding: 'utf8' });
      connection.sendCommand(command, into);
      return command.promise.then(keep, keep);
    };
    for (const [index, { keys }] of questions.entries()) void send('mget', keys, (answer) => void (answers[index] = answer));
    let info: unknown;
    const all = send('info', ['replication'], (answer) => void (info = answer));
    // Empty where the connection was not there: each command has failed then.
    if (packet !== '') connection.stream.write(packet);
    await all;
    const server = typeof info === 'string' ? primaryOf(info) : undefined;
    const isBelieved = server !== undefined && isTrusted(server, trusted);
    // Answers come in the order of the questions, so all are there.
    for (const [index, question] of questions.entries()) {
      const answer = answers[index];
      const failure = [answer, info].find((one) => one instanceof Error && !isErrorReply(one));
      if (failure !== undefined) this.#fail(question, failure);
      else question.answer(isBelieved && Array.isArray(answer) ? answer : 'doubt');
    }
  }

  #fail(question: Question, error: unknown): void {
    // The cluster's client does not see this command. A primary that fell silent may have a successor.
    if ('slots' in this.#redis) this.#redis.refreshSlotsCache();
    question.fail(unavailable(error));
  }
}

function judge({ tag, hash }: TokenKey, names: Names, values: readonly unknown[], nowMs: number): SessionRecord | undefined | 'doubt' {
  const [text, hashTombstone, handleTombstone, indexText] = values;
  if (typeof text !== 'string' || typeof indexText !== 'string') return 'doubt';
  const record = unpack(text, tag);
  if (record === undefined || record.hash !== hash || record.handle !== names.handle || record.subject !== names.subject) return 'doubt';
  const person = lookUp(indexText, names.handle);
  if (person === undefined) return 'doubt';
  return liveRecord(hash, { record, tombstoned: hashTombstone !== null || handleTombstone !== null, ...person }, nowMs);
}
