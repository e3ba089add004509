/**
 * A stream of questions at a server. Each question takes the way of a unary call: admission, load shedding, deadline, faults, span and metrics are those
 * of the method that the stream carries. Only the wire is shared, so answers go out together, once a turn of the event loop.
 *
 * - Every question gets exactly one answer, in any order. A withdrawn one gets `cancelled`.
 * - The caller is judged again with every question, as it is with each call on one connection. So an expired certificate, or one whose authority is no
 *   longer trusted, opens nothing on a stream that is open already.
 * - A client that does not read its answers is not read from either: HTTP/2 flow control holds it back.
 * - At a stop the server says `ending`. The client asks elsewhere, waits for its answers here, and hangs up.
 */
import { type DescMethod, type MessageShape } from '@bufbuild/protobuf';
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { type AnswersSchema, problem, type Problem, type QuestionsSchema } from '@cloakroom/contracts';
import { keepActing } from '@cloakroom/platform';
import { encode, nameOf } from '../contract.ts';
import { meshCalls } from '../mesh-metrics.ts';
import { readQuestionMetadata } from '../metadata.ts';
import { problemBytes, statusOf, writeProblem } from '../outcome.ts';
import { questionCountMax, questionsPerMessageMax, takeBatch } from '../question-batch.ts';
import type { Carrier, Outcome } from './server-call.ts';
import type { OpenStreams } from './server-stream.ts';

type Questions = MessageShape<typeof QuestionsSchema>;
type Question = Questions['asked'][number];
type Answer = Omit<MessageShape<typeof AnswersSchema>['answered'][number], '$typeName' | '$unknown'>;
export type QuestionsCall = ServerDuplexStream<object, object>;

export interface QuestionsParts {
  /** The rpc of the stream itself. */
  readonly method: DescMethod;
  readonly streams: OpenStreams;
  /** Judges the caller before any question. @returns why the stream is refused */
  readonly admit: (call: QuestionsCall) => Promise<Problem | undefined>;
  /** Handles one question as a unary call. @param done takes the answer's bytes before `carrier.finish` says 'ok' */
  readonly answer: (call: QuestionsCall, carrier: Carrier, request: Uint8Array, done: (answer: Buffer) => void) => void;
}

export function serveQuestions(parts: QuestionsParts): (call: QuestionsCall) => void {
  return (call) => {
    const stream = new OpenQuestions(call, parts);
    call.on('error', () => undefined);
    call.once(
      'cancelled',
      keepActing(() => stream.leave()),
    );
    parts.admit(call).then(
      (refusal) => (refusal === undefined ? stream.open() : stream.refuse(refusal)),
      () => stream.refuse(problem('internal')),
    );
  };
}

class OpenQuestions {
  private readonly call: QuestionsCall;
  private readonly parts: QuestionsParts;
  /** Questions without an answer yet, by id, each with the listener of its call. */
  private readonly asked = new Map<number, () => void>();
  private readonly unsent: Answer[] = [];
  private lastId = 0;
  private state: 'open' | 'ending' | 'over' = 'open';
  private clientIsDone = false;
  private scheduled = false;
  private blocked = false;
  private leaveStreams: () => void = () => undefined;

  constructor(call: QuestionsCall, parts: QuestionsParts) {
    this.call = call;
    this.parts = parts;
  }

  open(): void {
    if (this.state === 'over') return;
    this.leaveStreams = this.parts.streams.enter(undefined, () => this.sayEnding());
    this.call.on(
      'data',
      keepActing((message: object) => this.read(message as Questions)),
    );
    this.call.on('end', () => {
      this.clientIsDone = true;
      this.endWhenDone();
    });
    this.call.on('drain', () => {
      this.blocked = false;
      this.flush();
    });
  }

  refuse(why: Problem): void {
    if (!this.close(why.problem)) return;
    const metadata = new Metadata();
    writeProblem(why, metadata);
    this.call.emit('error', { ...statusOf(why), metadata });
  }

  /** The client is gone: nobody waits for these answers. */
  leave(): void {
    this.close('cancelled');
  }

  private close(code: string): boolean {
    if (this.state === 'over') return false;
    this.state = 'over';
    this.leaveStreams();
    this.unsent.length = 0;
    const gone = [...this.asked.values()];
    this.asked.clear();
    for (const tell of gone) tell();
    meshCalls.inc({ side: 'server', method: nameOf(this.parts.method), code });
    return true;
  }

  private sayEnding(): void {
    if (this.state !== 'open') return;
    this.state = 'ending';
    this.call.write(encode(this.parts.method.output, { ending: true }));
  }

  private read({ asked, withdrawn }: Questions): void {
    if (this.state === 'over') return;
    // A client of ours never does any of this, so nothing that it sends can be trusted.
    const ordered = asked.every(({ id }, at) => id > (at === 0 ? this.lastId : asked[at - 1]!.id));
    if (!ordered || asked.length > questionsPerMessageMax) return this.refuse(problem('invalid_request', 'questions'));
    for (const question of asked) this.take(question);
    for (const id of withdrawn) this.withdraw(id);
    if (this.asked.size + this.unsent.length >= questionCountMax) this.call.pause();
  }

  private take(question: Question): void {
    const { id } = question;
    this.lastId = id;
    let bytes: Buffer | undefined;
    let listener = (): void => undefined;
    this.asked.set(id, () => listener());
    const carrier: Carrier = {
      sent: readQuestionMetadata(question),
      remainingMs: question.budgetMs,
      onGone: (gone) => (listener = gone),
      parent: undefined,
      finish: (outcome, timings) => this.finish(id, outcome, timings, bytes),
    };
    this.parts.answer(this.call, carrier, question.request, (answer) => (bytes = answer));
  }

  private withdraw(id: number): void {
    const tell = this.asked.get(id);
    // Its answer is on the way already.
    if (tell === undefined) return;
    this.finish(id, problem('cancelled'), '', undefined);
    tell();
  }

  private finish(id: number, outcome: Outcome, serverTiming: string, bytes: Buffer | undefined): void {
    if (!this.asked.delete(id)) return;
    const none = new Uint8Array();
    const answer = { id, serverTiming, response: none, problem: none };
    if (outcome === 'ok') this.send({ ...answer, status: status.OK, response: bytes ?? none });
    else if (outcome === 'lost') this.send({ ...answer, status: status.UNAVAILABLE });
    else this.send({ ...answer, status: statusOf(outcome).code, problem: problemBytes(outcome) });
  }

  private send(answer: Answer): void {
    this.unsent.push(answer);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    while (!this.blocked && this.unsent.length > 0) {
      const answered = takeBatch(
        this.unsent,
        ({ response, problem: why, serverTiming }) => response.length + why.length + serverTiming.length,
      );
      this.blocked = !this.call.write(encode(this.parts.method.output, { answered }));
    }
    if (this.call.isPaused() && this.asked.size + this.unsent.length < questionCountMax / 2) this.call.resume();
    this.endWhenDone();
  }

  private endWhenDone(): void {
    if (!this.clientIsDone || this.asked.size > 0 || this.unsent.length > 0) return;
    if (this.close('ok')) this.call.end();
  }
}
