import { isProblem, tokenModeNameOf } from '@cloakroom/contracts';
import { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import { isoOf, modeSchema } from './session-answer.ts';
import { authOf } from '../identity/home-region.ts';

const deviceSchema = z
  .object({
    handle: z.string().meta({ description: 'The public name of the session; not the token, and of no use as one.' }),
    current: z.boolean(),
    device: z.string(),
    mode: modeSchema,
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
  })
  .meta({ id: 'Device' });

export const devicesSchema = z.array(deviceSchema).meta({ id: 'Devices' });

export async function listDevices(exchange: Exchange, gateway: Pick<Gateway, 'auth'>): Promise<Outcome> {
  const listed = await authOf(exchange, gateway).listDevices(outgoing(exchange, personOf(exchange).passport), {});
  if (isProblem(listed)) return authProblem(listed);
  const body: z.output<typeof devicesSchema> = listed.devices.map((device) => ({
    handle: device.handle,
    current: device.current,
    device: device.device,
    mode: tokenModeNameOf[device.mode] ?? 'hybrid',
    createdAt: isoOf(device.createdAtMs),
    lastSeenAt: isoOf(device.lastSeenAtMs),
  }));
  return { status: 200, body };
}
