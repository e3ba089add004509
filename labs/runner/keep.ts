/** Where results stand: a person's own under .cloakroom/labs/<name>/, published ones beside the lab. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataRoot, repository } from '../../infra/stack/folders.ts';
import type { Lab, Result } from './lab.ts';

/** A test of the Observatory sets the variable, so that a person's own results and predictions stay as they are. */
export const ownFolder = (lab: string): string => join(process.env['LABS_KEPT_DIR'] || join(dataRoot, 'labs'), lab);
export const publishedFolder = (lab: string): string => join(repository, 'labs', lab);

/** Writes the result and its two pictures. @returns the folder */
export async function keepResult(lab: Lab, result: Result, folder: string): Promise<string> {
  // Loaded here alone: whoever only reads results waits for neither.
  const [{ format, resolveConfig }, { drawFigure }] = await Promise.all([import('prettier'), import('./figure.ts')]);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'result.json');
  writeFileSync(file, await format(JSON.stringify(result), { ...(await resolveConfig(join(repository, 'README.md'))), filepath: file }));
  for (const shade of ['light', 'dark'] as const) writeFileSync(join(folder, `figure-${shade}.svg`), await drawFigure(lab, result, shade));
  return folder;
}

export function readResult(folder: string): Result | undefined {
  const file = join(folder, 'result.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8'), notANumber) as Result) : undefined;
}

/** Reads a result from JSON, which has no NaN: what a quick run left out comes as null. A result has no other null. */
export const notANumber = (_key: string, value: unknown): unknown => (value === null ? Number.NaN : value);

/** @returns undefined where the run had none to draw */
export function readFigure(folder: string): { readonly light: string; readonly dark: string } | undefined {
  const [light, dark] = (['light', 'dark'] as const).map((shade) => join(folder, `figure-${shade}.svg`)) as [string, string];
  return existsSync(light) && existsSync(dark) ? { light: readFileSync(light, 'utf8'), dark: readFileSync(dark, 'utf8') } : undefined;
}

const predictionFile = (lab: string): string => join(ownFolder(lab), 'prediction.txt');

export function keepPrediction(lab: string, answer: string): void {
  mkdirSync(ownFolder(lab), { recursive: true });
  writeFileSync(predictionFile(lab), answer);
}

export const readPrediction = (lab: string): string | undefined =>
  existsSync(predictionFile(lab)) ? readFileSync(predictionFile(lab), 'utf8') : undefined;
