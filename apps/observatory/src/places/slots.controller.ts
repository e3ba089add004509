import { Controller, Get, HttpCode, Inject, type OnApplicationShutdown, Param, Post, Query } from '@nestjs/common';
import { observed } from '@cloakroom/contracts';
import type { Logger } from '@cloakroom/platform/process-life';
import type { ObservatoryConfig } from '../config.ts';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { configToken, logToken } from '../injection.ts';
import { sessionsOf } from '../spans/session-steps.ts';
import { SpanStore } from '../spans/span-store.ts';
import { SupervisorLink } from '../stack/supervisor-link.ts';
import type { PrimaryKillView, SlotMoveView, SlotSessionView, SlotsView } from './places-view.ts';
import { NodeConnections } from './node-connections.ts';
import { calmMs, sessionOn, watchReads } from './outage.ts';
import { moveSlot, primaryOf, type SlotNode, slotNodes, slotOf } from './redis-slots.ts';

/** One at a time: two moves of one slot, or two kills at once, would measure each other. */
const busyNow = 'Another move or kill is still measured. Wait for its figure.';

@Controller('api/places')
@Opens('page')
export class SlotsController implements OnApplicationShutdown {
  #busy = false;
  private readonly connections: NodeConnections;

  constructor(
    private readonly link: SupervisorLink,
    private readonly store: SpanStore,
    @Inject(configToken) private readonly config: ObservatoryConfig,
    @Inject(logToken) log: Logger,
  ) {
    this.connections = new NodeConnections(log);
  }

  onApplicationShutdown(): void {
    this.connections.close();
  }

  @Get('slots')
  async slots(@Query('mine') mine = ''): Promise<SlotsView> {
    const nodes = await this.#nodes();
    if (nodes.length === 0) return { nodes: [], sessions: [] };
    const shown = nodes.map(({ process, role, of, slotCount, keyCount }) => ({ process, role, of, slotCount, keyCount }));
    return { nodes: shown, sessions: this.#sessions(mine, nodes) };
  }

  @Post('slots/:slot/move')
  @HttpCode(200)
  async move(@Param('slot') told: string): Promise<SlotMoveView> {
    const slot = Number(told);
    if (!Number.isInteger(slot) || slot < 0 || slot > 16_383) throw new Refusal('invalid_request', 'A slot is a number from 0 to 16,383.');
    return this.#alone(async () => {
      const nodes = await this.#nodes();
      const cookie = await sessionOn(this.config.SHOP_URL, (tag) => primaryOf(slotOf(tag), nodes) === primaryOf(slot, nodes));
      const { done, reads } = await watchReads(this.config.SHOP_URL, cookie, () => moveSlot(slot, nodes, this.connections), calmMs.move);
      return { ...done, reads };
    });
  }

  @Post('primaries/:process/kill')
  @HttpCode(200)
  async kill(@Param('process') name: string): Promise<PrimaryKillView> {
    return this.#alone(async () => {
      const nodes = await this.#nodes();
      const victim = nodes.find(({ process, role }) => process === name && role === 'primary');
      const [slot] = victim?.ranges[0] ?? [];
      if (victim === undefined || slot === undefined) throw new Refusal('cannot_act', `${name} is not the primary of a slot now.`);
      const cookie = await sessionOn(this.config.SHOP_URL, (tag) => primaryOf(slotOf(tag), nodes) === victim);
      const { reads } = await watchReads(this.config.SHOP_URL, cookie, () => this.link.act(name, 'kill'), calmMs.kill);
      return { process: name, successor: primaryOf(slot, await this.#nodes())?.process, reads };
    });
  }

  #nodes(): Promise<SlotNode[]> {
    return slotNodes(this.link.stack.processes, this.connections);
  }

  #sessions(mine: string, nodes: readonly SlotNode[]): readonly SlotSessionView[] {
    const spans = this.store.recent(0);
    return sessionsOf(spans, mine).flatMap(({ handle, subject }) => {
      const of = spans.findLast(
        ({ attributes }) => attributes[observed.session] === handle && attributes[observed.sessionTag] !== undefined,
      );
      if (of === undefined) return [];
      const tag = String(of.attributes[observed.sessionTag]);
      const slot = slotOf(tag);
      const primary = primaryOf(slot, nodes)?.process;
      const replica = nodes.find((one) => one.of === primary && primary !== undefined)?.process;
      return [{ handle, subject, tag, slot, primary, replica }];
    });
  }

  async #alone<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    if (this.#busy) throw new Refusal('too_many_requests', busyNow);
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}
