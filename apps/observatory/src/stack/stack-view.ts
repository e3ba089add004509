/** The stack on the map, and the log of a process. */
import type { OceanStatus } from '@cloakroom/contracts';

export interface StackView {
  readonly provider: string;
  readonly profile: string;
  readonly gateways: readonly string[];
  readonly processes: readonly ProcessView[];
  /** The network between two regions; undefined where there is one region, and before the ocean's first answer. */
  readonly ocean?: OceanStatus | undefined;
}

export interface ProcessView {
  readonly name: string;
  readonly kind: 'app' | 'embedded' | 'redis' | 'kafka' | 'postgres' | 'observatory' | 'mirror' | 'ocean';
  /** eu, us; undefined where there is one region, and for what belongs to none. */
  readonly region?: string | undefined;
  /** The apps within, where it is embedded. */
  readonly apps: readonly string[];
  readonly needs: readonly string[];
  readonly url: string;
  readonly state: 'waiting' | 'starting' | 'ready' | 'restarting' | 'paused' | 'ended';
  readonly pid: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly restarts: number;
  /** The word of its own readiness; undefined where it speaks no HTTP, and before the first answer. */
  readonly health?: HealthView | undefined;
  /** A warning to those who act on it: "All services share this process: a pause stops the whole shop." */
  readonly note?: string | undefined;
}

export interface HealthView {
  readonly state: 'ready' | 'degraded' | 'not ready' | 'no answer';
  /** The functions that fail, in words. */
  readonly words: readonly string[];
}

/** `GET /api/processes/:name/log`: the last lines that a process wrote, the newest last. */
export interface LogView {
  readonly lines: readonly LogLineView[];
  /** There are older lines. */
  readonly cut: boolean;
}

export interface LogLineView {
  /** Undefined where the line does not say it as ours do: Redis and Kafka write plain text. */
  readonly atMs: number | undefined;
  readonly level: string | undefined;
  readonly text: string;
}
