/** The settings that kustomize would give each service: the ConfigMaps of the base, merged with those of components and overlays. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AppName } from '../stack/stack.ts';
import { agreedConfigMap, appSpecs } from './cluster.ts';

export interface Kustomization {
  readonly resources?: string[];
  readonly components?: string[];
  readonly images?: { readonly name: string }[];
  readonly configMapGenerator: readonly { readonly name: string; readonly behavior?: string; readonly literals: readonly string[] }[];
}

/** @param path below infra/k8s */
export const kustomizationOf = (path: string): Kustomization =>
  parse(readFileSync(join(import.meta.dirname, '..', 'k8s', path, 'kustomization.yaml'), 'utf8')) as Kustomization;

/** @param layers the base first; later ones win */
export function environmentOf(name: AppName, layers: readonly Kustomization[]): Record<string, string> {
  const maps = Object.keys(appSpecs[name].agreed).length > 0 ? [agreedConfigMap, name] : [name];
  return Object.assign({}, ...maps.flatMap((map) => layers.map((layer) => literalsOf(layer, map)))) as Record<string, string>;
}

export function literalsOf({ configMapGenerator }: Kustomization, map: string): Record<string, string> {
  const lines = configMapGenerator.filter(({ name }) => name === map).flatMap(({ literals }) => literals);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
