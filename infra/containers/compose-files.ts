/**
 * Compose files for programs that run compose without `npm start`: the committed files when their ports are
 * wanted, else files rendered for other ports.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirOf } from '../stack/folders.ts';
import { keyEncryptionKey, refreshTokenKey, sessionMacKey } from '../launch/secrets.ts';
import { defaultBase } from '../stack/stack.ts';
import { drawCompose, drawPostgresOverlay } from './compose.ts';
import { drawObservability, drawPrometheus } from './observability.ts';
import { toYaml } from './to-yaml.ts';

export type Overlay = 'postgres' | 'observability';

const committed = { plain: 'compose.yaml', postgres: 'compose.postgres.yaml', observability: 'compose.observability.yaml' } as const;
const scrape = './observability/prometheus.yaml';

export const composeProject = (base: number): string => drawCompose({ base }).name ?? 'cloakroom';

export const servicesOf = (base: number): string[] => Object.keys(drawCompose({ base }).services);

/** The keys of the data that `npm start -- --infra docker` keeps. */
export function composeKeys(base: number): Record<'SESSION_MAC_KEY' | 'REFRESH_TOKEN_KEY' | 'KEY_ENCRYPTION_KEY', string> {
  const dataDir = dataDirOf('docker', base);
  return {
    SESSION_MAC_KEY: sessionMacKey(dataDir),
    REFRESH_TOKEN_KEY: refreshTokenKey(dataDir),
    KEY_ENCRYPTION_KEY: keyEncryptionKey(dataDir),
  };
}

/** @param folder receives the rendered files; paths in them are relative to infra/ */
export function composeFiles(base: number, overlays: readonly Overlay[], folder: string): string[] {
  const parts = ['plain', ...overlays] as const;
  if (base === defaultBase) return parts.map((part) => join(import.meta.dirname, '..', committed[part]));
  const scrapeFile = join(folder, 'prometheus.yaml');
  writeFileSync(scrapeFile, toYaml(drawPrometheus(base)));
  const drawn = {
    plain: () => drawCompose({ base }),
    postgres: () => drawPostgresOverlay(base),
    observability: () => drawObservability(base),
  };
  return parts.map((part) => {
    const file = join(folder, committed[part]);
    writeFileSync(file, toYaml(drawn[part]()).replaceAll(scrape, scrapeFile));
    return file;
  });
}
