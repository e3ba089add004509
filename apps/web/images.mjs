/**
 * Takes single pictures out of the Fluent Emoji Flat set (MIT, see public/images/LICENSE.txt) into public/images, where they are committed:
 * an install needs neither the 9 MB set nor this script.
 *
 *   npm pack @iconify-json/fluent-emoji-flat@1.2.6 && tar xzf iconify-json-fluent-emoji-flat-1.2.6.tgz
 *   node apps/web/images.mjs package/icons.json coat backpack
 */
import { readFile, writeFile } from 'node:fs/promises';

const [set, ...names] = process.argv.slice(2);
if (!set || names.length === 0) throw new Error('usage: node images.mjs <icons.json> <name>...');

const { icons, width = 16, height = 16 } = JSON.parse(await readFile(set, 'utf8'));
for (const name of names) {
  const icon = icons[name];
  if (!icon) throw new Error(`the set has no picture "${name}"`);
  const size = `${icon.width ?? width} ${icon.height ?? height}`;
  const file = new URL(`public/images/${name}.svg`, import.meta.url);
  await writeFile(file, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}">${icon.body}</svg>\n`);
}
