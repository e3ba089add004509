/** The words that the command, the ocean and the Observatory say to each other: libs/contracts. This file works before the first build. */
import type { OceanWay } from '@cloakroom/contracts';
import type { RegionName } from '../stack/stack.ports.ts';

export type { MirrorLag, OceanCommand, OceanStatus, OceanWay as Way, WayState, WayStatus } from '@cloakroom/contracts';

export const ways = ['eu-us', 'us-eu'] as const satisfies readonly OceanWay[];
export const wayFrom = (region: RegionName): OceanWay => (region === 'eu' ? 'eu-us' : 'us-eu');

/** Longer than any delay that the proofs use, and short enough for every client to come back after `heal`. */
export const rttMaxMs = 30_000;
