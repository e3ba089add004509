/**
 * Asks the questions of a unary method on one stream to each replica. The questions of one turn of the event loop go out as one message. The choice of the
 * replica, the breaker, the span and the outcome are those of a unary call (grpc-client.ts); only the wire differs.
 *
 * Failures, and the defence against each:
 * - One person's answer reaches another's question (OpenAI, March 2023). Ids count up over all streams of a client, so none is used again after a
 *   reconnect. `belongs` compares the answer with its question before anybody sees it. An answer that does not belong, an id that this stream did not
 *   ask, and a second answer drop the stream with all that is in flight. Those questions end as on a broken connection, and that replica is asked by
 *   single calls for a while.
 * - An answer comes late. Its id is known as given up, and the answer is not looked at.
 * - A replica or a stream stalls. Each question ends with its own deadline, as a call does, and the next ones get a new stream.
 * - More is asked than the stream may hold. The rest is asked by single calls, which HTTP/2 limits.
 * - A replica of an older build does not know the stream. Its questions are asked again by single calls: none of them was handled.
 */
import type { DescMethod, MessageShape } from '@bufbuild/protobuf';
import { type Client, type ClientDuplexStream, Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { type AnswersSchema, callMetadata } from '@cloakroom/contracts';
import type { Logger } from '@cloakroom/platform';
import { asIs, decoder, encode, nameOf } from '../contract.ts';
import { cancelWith } from '../deadline.ts';
import { questionStreamsEnded } from '../mesh-metrics.ts';
import { questionCountMax, takeBatch } from '../question-batch.ts';
import { type Ended, endedAs, withoutStack } from './outgoing-call.ts';

/** A stream is admitted anew after this, at the next question. Certificates are judged at each question besides. */
const ageMaxMs = 5 * 60_000;
/** A replica that does not know the stream, or broke its rules, is asked by single calls for this long. Meanwhile it may have been replaced. */
const aloneMs = 60_000;
/** A question that had less time than this proves nothing against its stream. */
const silenceMinMs = 250;
/** An id has 32 bits. A stream that opens above this begins to count anew: after 25 days of 1,000 questions a second. */
const idTurn = 2 ** 31;

export interface OutgoingQuestion {
  readonly request: Buffer;
  /** Monotonic. */
  readonly deadlineMs: number;
  readonly traceparent: string;
  readonly experiment: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether the answer was made for this question. */
  readonly belongs: (answer: object) => boolean;
}

export interface QuestionStreams {
  /** @returns undefined where the question must be asked by a call of its own */
  ask(client: Client, question: OutgoingQuestion): Promise<Ended | undefined>;
  /** The next question opens new streams. The old ones end when their last question does. */
  retire(): void;
}

interface Parts {
  /** The rpc that carries `method`. */
  readonly stream: DescMethod;
  readonly method: DescMethod;
  /** Shown where there are no certificates. */
  readonly secret: string | undefined;
  readonly log: Logger;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Counting goes on from here; 0 but in tests. */
  readonly lastId?: number;
}

export function openQuestionStreams(options: Parts): QuestionStreams {
  const { nowMs } = options;
  let lastId = options.lastId ?? 0;
  const nextId = (): number => (lastId += 1);
  const current = new Map<Client, QuestionStream>();
  const aloneUntilMs = new WeakMap<Client, number>();
  const retire = (): void => [...current.values()].forEach((stream) => stream.retire());
  const open = (client: Client): QuestionStream => {
    if (lastId > idTurn) {
      // Streams that know higher ids are asked no more.
      retire();
      lastId = 0;
    }
    const stream = new QuestionStream(client, { ...options, nextId }, (why) => {
      if (current.get(client) === stream) current.delete(client);
      if (why === 'unserved' || why === 'dropped') aloneUntilMs.set(client, nowMs() + aloneMs);
    });
    current.set(client, stream);
    return stream;
  };
  return {
    async ask(client, question) {
      if (nowMs() < (aloneUntilMs.get(client) ?? 0)) return undefined;
      let stream = current.get(client);
      if (stream !== undefined && nowMs() - stream.openedMs > ageMaxMs) {
        stream.retire();
        stream = undefined;
      }
      return (stream ?? open(client)).ask(question);
    },
    retire,
  };
}

interface StreamParts extends Parts {
  readonly nextId: () => number;
}

interface Asked {
  readonly id: number;
  readonly question: OutgoingQuestion;
  /** Messages that the stream had brought when this was asked. */
  readonly heardBefore: number;
  readonly askedMs: number;
  sent: boolean;
  settle(ended: Ended | undefined): void;
}

/** `unserved`: the server does not know the stream. `dropped`: it broke the rules. `retired`: nobody waits for it any more. */
type Why = 'unserved' | 'dropped' | 'lost' | 'retired';

class QuestionStream {
  readonly openedMs: number;
  private readonly call: ClientDuplexStream<Buffer, object>;
  private readonly asked = new Map<number, Asked>();
  /** Ids that nobody waits for. Their answers still come, and until then each takes a place. */
  private readonly givenUp = new Set<number>();
  private readonly unsent: Asked[] = [];
  private readonly withdrawn: number[] = [];
  private heard = 0;
  private state: 'open' | 'retired' | 'over' = 'open';
  private scheduled = false;
  private blocked = false;
  private readonly options: StreamParts;
  private readonly decode: (bytes: Buffer) => object;
  /** Called when no further question may be asked here, at least once. */
  private readonly left: (why: Why) => void;

  constructor(client: Client, options: StreamParts, left: (why: Why) => void) {
    this.options = options;
    this.left = left;
    this.openedMs = options.nowMs();
    this.decode = decoder(options.method.output);
    const { stream, secret } = options;
    const metadata = new Metadata();
    if (secret !== undefined) metadata.set(callMetadata.meshSecret, secret);
    const path = `/${nameOf(stream)}`;
    this.call = withoutStack(() => client.makeBidiStreamRequest<Buffer, object>(path, asIs, decoder(stream.output), metadata));
    this.call.on('data', (message: object) => this.read(message as MessageShape<typeof AnswersSchema>));
    this.call.on('error', (error: ServiceError) => this.endWith(error));
    this.call.on('status', (ending: StatusObject) => this.endWith(ending));
    this.call.on('drain', () => {
      this.blocked = false;
      this.flush();
    });
  }

  ask(question: OutgoingQuestion): Promise<Ended | undefined> {
    if (this.asked.size + this.givenUp.size >= questionCountMax) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const { nowMs, nextId } = this.options;
      const id = nextId();
      const askedMs = nowMs();
      const giveUp = (code: status): void => this.giveUp(one, code);
      const timer = setTimeout(() => giveUp(status.DEADLINE_EXCEEDED), question.deadlineMs - askedMs);
      const forget = cancelWith(question.signal, () => giveUp(status.CANCELLED));
      const settle = (ended: Ended | undefined): void => {
        clearTimeout(timer);
        forget();
        this.asked.delete(id);
        resolve(ended);
      };
      const one: Asked = { id, question, heardBefore: this.heard, askedMs, sent: false, settle };
      this.asked.set(id, one);
      this.unsent.push(one);
      this.schedule();
    });
  }

  /** Takes no further question, and ends with the last one. */
  retire(): void {
    if (this.state !== 'open') return;
    this.state = 'retired';
    this.left('retired');
    this.endIfIdle();
  }

  private giveUp(one: Asked, code: status): void {
    one.settle(endedAs(code));
    if (one.sent) {
      this.givenUp.add(one.id);
      if (code === status.CANCELLED) this.withdrawn.push(one.id);
      this.schedule();
    }
    const silent = this.heard === one.heardBefore && this.options.nowMs() - one.askedMs >= silenceMinMs;
    if (code === status.DEADLINE_EXCEEDED && silent) this.retire();
    this.endIfIdle();
  }

  private endIfIdle(): void {
    if (this.state === 'retired' && this.asked.size === 0) this.close('retired', undefined);
  }

  private read({ answered, ending }: MessageShape<typeof AnswersSchema>): void {
    if (this.state === 'over') return;
    this.heard += 1;
    const good: (readonly [Asked, Ended])[] = [];
    const seen = new Set<number>();
    for (const answer of answered) {
      const one = seen.has(answer.id) ? undefined : this.asked.get(answer.id);
      seen.add(answer.id);
      if (one === undefined) {
        if (this.givenUp.delete(answer.id)) continue;
        return this.drop('it answers twice, or what was not asked here');
      }
      const ended = this.open(one, answer);
      if (ended === undefined) return this.drop('an answer belongs to another question');
      good.push([one, ended]);
    }
    for (const [one, ended] of good) one.settle(ended);
    if (ending) this.retire();
    this.endIfIdle();
  }

  /** @returns undefined for an answer that was not made for this question */
  private open({ question }: Asked, answer: MessageShape<typeof AnswersSchema>['answered'][number]): Ended | undefined {
    const code = answer.status as status;
    const ended = {
      ...endedAs(code),
      problems: answer.problem.length > 0 ? [Buffer.from(answer.problem)] : [],
      timing: answer.serverTiming,
    };
    if (code !== status.OK) return ended;
    try {
      const message = this.decode(answer.response as Buffer);
      return question.belongs(message) ? { ...ended, answer: message } : undefined;
    } catch {
      return undefined;
    }
  }

  private drop(why: string): void {
    this.options.log.error(
      { method: nameOf(this.options.stream), reason: why, in_flight: this.asked.size },
      'a stream of answers was dropped',
    );
    this.close('dropped', endedAs(status.UNAVAILABLE));
  }

  private endWith({ code, details, metadata }: StatusObject | ServiceError): void {
    if (code === status.UNIMPLEMENTED) return this.close('unserved', undefined);
    const worded = endedAs(code, { details, metadata });
    this.close('lost', worded.problems.length > 0 ? worded : endedAs(status.UNAVAILABLE, { details }));
  }

  /** @param ended for all that is in flight; undefined: they are asked by calls of their own */
  private close(why: Why, ended: Ended | undefined): void {
    if (this.state === 'over') return;
    this.state = 'over';
    questionStreamsEnded.inc({ method: nameOf(this.options.stream), end: why });
    this.left(why);
    for (const one of this.asked.values()) one.settle(ended);
    this.call.cancel();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const nowMs = this.options.nowMs();
    while (this.state !== 'over' && !this.blocked && this.unsent.length + this.withdrawn.length > 0) {
      const batch = takeBatch(this.unsent, ({ question }) => question.request.length + question.traceparent.length);
      const asked = batch.flatMap((one) => (this.asked.has(one.id) ? [toWire(one, nowMs)] : []));
      const message = { asked, withdrawn: this.withdrawn.splice(0) };
      if (asked.length > 0 || message.withdrawn.length > 0) this.blocked = !this.call.write(encode(this.options.stream.input, message));
    }
  }
}

function toWire(one: Asked, nowMs: number) {
  one.sent = true;
  const { request, traceparent, experiment = '', deadlineMs } = one.question;
  return { id: one.id, budgetMs: Math.max(1, Math.floor(deadlineMs - nowMs)), traceparent, experiment, request };
}
