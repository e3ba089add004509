/**
 * Takes single pictures out of the Fluent Emoji Flat set (MIT, see public/images/LICENSE.txt) into public/images, where they are committed:
 * an install needs neither the 9 MB set nor this script. "coat-navy" is the picture "coat" in the tint "navy": the hues of the thing itself
 * change, what is of another colour (a dial, a buckle) stays.
 *
 *   npm pack @iconify-json/fluent-emoji-flat@1.2.6 && tar xzf iconify-json-fluent-emoji-flat-1.2.6.tgz
 *   node apps/web/images.mjs package/icons.json coat coat-navy backpack
 */
import { readFile, writeFile } from 'node:fs/promises';

/** Hue in degrees, saturation and lightness in percent, of the middle of a thing in that colour. */
const tints = {
  black: [230, 8, 22],
  brown: [22, 42, 36],
  charcoal: [215, 10, 34],
  cherry: [346, 66, 42],
  cognac: [24, 62, 44],
  cream: [40, 52, 84],
  forest: [148, 40, 32],
  indigo: [240, 42, 44],
  mustard: [44, 78, 52],
  navy: [222, 48, 34],
  olive: [72, 34, 38],
  plum: [312, 32, 38],
  rose: [345, 62, 74],
  rust: [16, 62, 46],
  sage: [110, 20, 58],
  sand: [36, 40, 68],
  sky: [204, 66, 66],
  slate: [208, 18, 48],
  teal: [180, 46, 40],
};
/** Pictures of white things: there white and grey are the thing itself. */
const pale = new Set(['lab-coat', 'martial-arts-uniform']);
/** Where the thing itself is drawn with fewer strokes than what is on it. */
const mainFill = { kimono: '#00a6ed', purse: '#f70a8d', 'womans-boot': '#ca0b4a' };
/** Colours further around the circle than this are not of the thing itself. */
const hueDistanceMax = 50;

const [set, ...names] = process.argv.slice(2);
if (!set || names.length === 0) throw new Error('usage: node images.mjs <icons.json> <name>...');

const { icons, width = 16, height = 16 } = JSON.parse(await readFile(set, 'utf8'));
for (const name of names) {
  const { icon, body } = icons[name] ? { icon: icons[name], body: icons[name].body } : tinted(name);
  const size = `${icon.width ?? width} ${icon.height ?? height}`;
  const file = new URL(`public/images/${name}.svg`, import.meta.url);
  await writeFile(file, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}">${body}</svg>\n`);
}

function tinted(name) {
  const cut = name.lastIndexOf('-');
  const [base, tint] = [name.slice(0, cut), tints[name.slice(cut + 1)]];
  const icon = icons[base];
  if (!icon || !tint) throw new Error(`the set has no picture "${name}", and it is none of its pictures in a tint`);
  const isOwn = ([, saturation]) => pale.has(base) === saturation < 15;
  const own = [...icon.body.matchAll(/fill="(#[0-9a-f]{3,6})" d="([^"]*)"/g)].flatMap(([, hex, outline]) =>
    isOwn(hslOf(hex)) ? [{ fill: hslOf(hex), weight: outline.length }] : [],
  );
  if (own.length === 0) throw new Error(`"${base}" has nothing to tint`);
  // The colour of most of the drawing is that of the thing.
  const weight = (fill) => own.filter((other) => isLike(other.fill, fill)).reduce((sum, other) => sum + other.weight, 0);
  const middle = mainFill[base] ? hslOf(mainFill[base]) : own.toSorted((a, b) => weight(b.fill) - weight(a.fill))[0].fill;
  const group = own.map(({ fill }) => fill).filter((fill) => isLike(fill, middle));
  const lightness = group.reduce((sum, [, , l]) => sum + l, 0) / group.length;
  const body = icon.body.replaceAll(/fill="(#[0-9a-f]{3,6})"/g, (all, hex) => {
    const fill = hslOf(hex);
    if (!isOwn(fill) || !isLike(fill, middle)) return all;
    // Shades keep their distance, a little less of it, so that neither end is cut off.
    const shade = Math.min(95, Math.max(8, tint[2] + (fill[2] - lightness) * 0.7));
    return `fill="${hexOf(tint[0], tint[1], shade)}"`;
  });
  return { icon, body };
}

function isLike(a, b) {
  const distance = Math.abs(a[0] - b[0]);
  return a[1] < 15 || Math.min(distance, 360 - distance) <= hueDistanceMax;
}

function hslOf(hex) {
  const full = hex.length === 4 ? hex.replaceAll(/[0-9a-f]/g, '$&$&') : hex;
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(full.slice(at, at + 2), 16) / 255);
  const [max, min] = [Math.max(r, g, b), Math.min(r, g, b)];
  const [spread, l] = [max - min, (max + min) / 2];
  if (spread === 0) return [0, 0, l * 100];
  const turn = max === r ? (g - b) / spread : max === g ? 2 + (b - r) / spread : 4 + (r - g) / spread;
  return [(turn * 60 + 360) % 360, (spread / (1 - Math.abs(2 * l - 1))) * 100, l * 100];
}

function hexOf(hue, saturation, lightness) {
  const chroma = (saturation / 100) * Math.min(lightness / 100, 1 - lightness / 100);
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    return lightness / 100 - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return `#${[0, 8, 4]
    .map((n) =>
      Math.round(part(n) * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
