import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { z } from 'zod';
import type { LabFindingsView, LabListView, LabRunAnswer, LabRunView, LabView, ListedLabView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { LabPrograms } from './lab-programs.ts';
import { LabRuns } from './lab-runs.ts';

const prediction = z.strictObject({ answer: z.string().trim().min(1).max(64) });
const wantedRun = z.strictObject({ lab: z.string().max(64), quick: z.boolean(), answer: z.number().finite().optional() });

@Controller('api/labs')
@Opens('page')
export class LabsController {
  constructor(private readonly programs: LabPrograms) {}

  @Get()
  async list(): Promise<LabListView> {
    return { labs: this.programs.present ? await this.programs.ask<readonly ListedLabView[]>('list') : undefined };
  }

  @Get(':name')
  one(@Param('name') name: string): Promise<LabView> {
    this.programs.expect(name);
    return this.programs.ask('lab', name);
  }

  /** The page asks for it after the prediction. */
  @Get(':name/findings')
  findings(@Param('name') name: string): Promise<LabFindingsView> {
    this.programs.expect(name);
    return this.programs.ask('findings', name);
  }

  @Put(':name/prediction')
  predict(@Param('name') name: string, @Body() body: unknown): Promise<LabView> {
    this.programs.expect(name);
    return this.programs.ask('predict', name, parsed(prediction, body).answer);
  }
}

@Controller('api/lab-run')
@Opens('page')
export class LabRunController {
  constructor(
    private readonly programs: LabPrograms,
    private readonly runs: LabRuns,
  ) {}

  @Get()
  look(): LabRunAnswer {
    return { run: this.runs.view };
  }

  @Post()
  @HttpCode(200)
  begin(@Body() body: unknown): LabRunView {
    const { answer, ...wanted } = parsed(wantedRun, body);
    this.programs.expect(wanted.lab);
    return this.runs.begin({ ...wanted, ...(answer !== undefined && { answer }) });
  }

  @Delete()
  stop(): LabRunView {
    return this.runs.stop();
  }
}

/** @throws Refusal */
function parsed<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const found = shape.safeParse(body ?? {});
  if (found.success) return found.data;
  throw new Refusal('invalid_request', found.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
