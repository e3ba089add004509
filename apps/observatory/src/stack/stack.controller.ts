import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { processActions } from '@cloakroom/contracts';
import type { LogView, StackView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { lastLogLines } from './process-log.ts';
import { StackWatch } from './stack-watch.ts';
import { SupervisorLink } from './supervisor-link.ts';

@Controller('api')
@Opens('page')
export class StackController {
  constructor(
    private readonly watch: StackWatch,
    private readonly link: SupervisorLink,
  ) {}

  @Get('stack')
  stack(): Promise<StackView> {
    return this.watch.look();
  }

  /** Reads only logs of processes of the stack: a name is no path. */
  @Get('processes/:name/log')
  log(@Param('name') name: string): Promise<LogView> {
    const found = this.link.stack.processes.find((one) => one.name === name);
    if (found === undefined) throw new Refusal('not_found', `There is no process ${name} in this stack.`);
    return lastLogLines(found.logFile, found.kind === 'embedded');
  }

  /** A pause ends with `resume`, when the Observatory ends, or after 10 minutes. */
  @Post('processes/:name/:action')
  @HttpCode(200)
  async act(@Param('name') name: string, @Param('action') told: string): Promise<object> {
    const action = processActions.find((one) => one === told);
    if (action === undefined) throw new Refusal('not_found', `A process takes one of: ${processActions.join(', ')}.`);
    const { processes } = this.link.stack;
    const whole = processes.find((one) => one.apps.includes(name));
    if (whole !== undefined)
      throw new Refusal(
        'cannot_act',
        `In embedded all services share the process ${whole.name}. Act on that, which is the whole shop, or use native.`,
      );
    await this.link.act(name, action);
    return {};
  }
}
