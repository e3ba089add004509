/** Which addresses may name a file of a page's folder. The gateway and the Observatory serve their pages by it. */
import { stat } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';

/** @returns the decoded path without its query; undefined when it has dots, or is no path of ours */
export function pagePathOf(url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.split('?', 1)[0]!);
    return path.includes('\0') || path.includes('..') || path.includes('\\') ? undefined : path;
  } catch {
    return undefined;
  }
}

/** Whether the path names a file inside the folder. */
export async function isPageFile(dir: string, path: string): Promise<boolean> {
  const file = normalize(join(dir, path));
  if (!file.startsWith(normalize(dir) + sep)) return false;
  try {
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
