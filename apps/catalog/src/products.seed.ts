/** The shop's stock on its first day. Prices are minor units of EUR. Ids are for ever: carts and links hold them. */
export interface SeedProduct {
  readonly productId: string;
  readonly name: string;
  readonly category: string;
  readonly price: number;
  readonly stock: number;
  /** The name of the picture that the web app serves at /images/<image>.svg. */
  readonly image: string;
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly description: string;
}

type Row = readonly [
  productId: string,
  name: string,
  price: number,
  stock: number,
  image: string,
  options: SeedProduct['options'],
  description: string,
];

const sizes = ['XS', 'S', 'M', 'L', 'XL'];
const shoes = ['37', '38', '39', '40', '41', '42', '43', '44'];
const none = {};

// One product is two lines: its facts, and what the page says of it.
// prettier-ignore
const byCategory: Readonly<Record<string, readonly Row[]>> = {
  Coats: [
    ['wool-overcoat', 'Wool overcoat', 24900, 18, 'coat', { Size: sizes, Colour: ['Charcoal', 'Camel', 'Navy'] },
      'A knee-length coat in heavy Italian wool with a half lining, two deep pockets and horn buttons. Cut to go over a jacket.'],
    ['chore-coat', 'Undyed chore coat', 13900, 26, 'lab-coat', { Size: sizes },
      'Cotton twill the colour it grew, with four patch pockets. Softens with each wash and takes dye well if you would rather it did not stay white.'],
    ['cycling-vest', 'Reflective cycling vest', 4900, 60, 'safety-vest', { Size: ['S/M', 'L/XL'], Colour: ['Orange', 'Yellow'] },
      'Weighs 90 g and folds into its own pocket. Seen from 200 m in low beam, which is the whole point of it.'],
    ['quilted-wrap-jacket', 'Quilted wrap jacket', 11900, 14, 'martial-arts-uniform', { Size: sizes },
      'A light padded jacket that closes with a belt instead of a zip. Worn indoors in January and outdoors in October.'],
    ['cotton-robe', 'Cotton kimono robe', 8900, 22, 'kimono', { Size: ['S/M', 'L/XL'], Colour: ['Indigo', 'Plum'] },
      'Crêpe cotton, printed by hand, with wide sleeves and a tie belt. Dries in an hour on the line.'],
  ],
  Clothing: [
    ['heavy-t-shirt', 'Heavyweight T-shirt', 3200, 140, 't-shirt', { Size: sizes, Colour: ['White', 'Black', 'Sky'] },
      'A 240 g organic cotton jersey with a collar that keeps its shape. Pre-shrunk, so the size you try is the size you keep.'],
    ['straight-jeans', 'Straight-leg jeans', 9500, 75, 'jeans', { Waist: ['28', '30', '32', '34', '36'], Length: ['30', '32', '34'] },
      'Rigid 13 oz denim, mid rise, straight from hip to hem. Comes with a spare button and thread of the right colour.'],
    ['linen-blouse', 'Linen blouse', 6400, 41, 'womans-clothes', { Size: sizes, Colour: ['Rose', 'Sand'] },
      'Washed Belgian linen with a short sleeve and a soft collar. Creases, and looks better for it.'],
    ['summer-dress', 'Button-through dress', 8200, 33, 'dress', { Size: sizes, Colour: ['Teal', 'Rust'] },
      'Buttons all the way down, pockets on both sides, a hem below the knee. Made of lyocell that hangs well from the suitcase.'],
    ['walking-shorts', 'Walking shorts', 4500, 58, 'shorts', { Size: sizes },
      'Quick-drying ripstop with a gusset and a zipped back pocket that fits a map or a phone.'],
    ['merino-socks', 'Merino socks, two pairs', 2400, 200, 'socks', { Size: ['36-39', '40-43', '44-47'], Colour: ['Grey', 'Forest'] },
      'Fine merino with a cushioned heel, knitted without a toe seam. Guaranteed against holes for three years.'],
    ['running-vest', 'Running vest', 3600, 64, 'running-shirt', { Size: sizes },
      'A racerback top in recycled polyester mesh. No inside labels, so there is nothing to rub after kilometre thirty.'],
  ],
  Bags: [
    ['roll-top-backpack', 'Roll-top backpack', 12900, 37, 'backpack', { Colour: ['Moss', 'Slate'] },
      'Eighteen litres, twenty-four unrolled. Waxed canvas, a padded sleeve for a 15-inch laptop and a side pocket that holds a real bottle.'],
    ['leather-handbag', 'Leather handbag', 18900, 12, 'handbag', { Colour: ['Cognac', 'Black'] },
      'Vegetable-tanned leather with one handle and one long strap. The lining is cotton and comes out to be washed.'],
    ['evening-clutch', 'Evening clutch', 7900, 20, 'clutch-bag', none,
      'Large enough for a phone, keys and a cloakroom ticket; small enough to be put down and found again.'],
    ['document-case', 'Document case', 15900, 16, 'briefcase', { Colour: ['Tan', 'Dark brown'] },
      'Takes a laptop, a folder and lunch, and stands up by itself. The lock is brass and has two keys.'],
    ['coin-purse', 'Coin purse', 2900, 90, 'purse', { Colour: ['Blossom', 'Ink'] },
      'Opens wide, closes with a click that can be heard across a room. Fits in the fifth pocket of your jeans.'],
    ['canvas-totes', 'Canvas totes, set of two', 2600, 120, 'shopping-bags', none,
      'One for bread, one for everything else. Long handles, doubled seams, washable at 60 degrees.'],
  ],
  Shoes: [
    ['road-runners', 'Road running shoes', 11500, 48, 'running-shoe', { Size: shoes },
      'Eight millimetres of drop, a wide toe box and laces that stay tied. For daily kilometres rather than for records.'],
    ['hiking-boots', 'Hiking boots', 17900, 29, 'hiking-boot', { Size: shoes },
      'Full-grain leather, resoleable, waterproof to the third eyelet. Break them in on the stairs before you trust them on a ridge.'],
    ['oxford-shoes', 'Oxford shoes', 16900, 21, 'mans-shoe', { Size: shoes, Colour: ['Brown', 'Black'] },
      'Welted by hand on a rounded last. The heel has a rubber corner where everyone wears it down first.'],
    ['ballet-flats', 'Ballet flats', 7400, 35, 'flat-shoe', { Size: shoes },
      'Soft leather on a thin sole with a hidden cushion below the heel. They roll up and fit in a coat pocket.'],
    ['chelsea-boots', 'Chelsea boots', 15400, 24, 'womans-boot', { Size: shoes },
      'Pull them on by the loop, forget them until the evening. Lined with sheepskin from October, unlined from April.'],
    ['cork-sandals', 'Cork sandals', 5200, 44, 'thong-sandal', { Size: shoes },
      'A cork footbed that takes the form of your foot in about a week. The strap can be exchanged without tools.'],
  ],
  Accessories: [
    ['top-hat', 'Top hat', 9900, 6, 'top-hat', { Size: ['56', '58', '60'] },
      'Felted wool, silk band, and room inside for a rabbit. Comes in a box that is itself worth keeping.'],
    ['sun-hat', 'Wide-brimmed sun hat', 4200, 31, 'womans-hat', { Size: ['S/M', 'L/XL'] },
      'Plaited raffia with a ribbon that can be tied under the chin when the ferry leaves.'],
    ['canvas-cap', 'Canvas cap', 2800, 85, 'billed-cap', { Colour: ['Blue', 'Ecru'] },
      'Six panels, a brass buckle and a brim that has already been bent for you.'],
    ['lambswool-scarf', 'Lambswool scarf', 5600, 52, 'scarf', { Colour: ['Red', 'Heather', 'Oat'] },
      'Woven in a mill that has made nothing else since 1797. Two metres long, so it goes around twice.'],
    ['touch-gloves', 'Touchscreen gloves', 3900, 70, 'gloves', { Size: ['S', 'M', 'L'] },
      'Knitted with a silver thread in thumb and forefinger, which is enough for a map and not enough for a novel.'],
    ['sunglasses', 'Folding sunglasses', 8900, 27, 'sunglasses', { Colour: ['Tortoise', 'Smoke'] },
      'Polarised lenses in acetate. They fold at the bridge and fit where a watch would.'],
    ['storm-umbrella', 'Storm umbrella', 6900, 40, 'closed-umbrella', { Colour: ['Violet', 'Black'] },
      'Eleven glass-fibre ribs and a vented canopy, tested to 90 km/h. Left behind in cloakrooms more than any other product of ours.'],
    ['field-watch', 'Field watch', 14900, 15, 'watch', { Strap: ['Canvas', 'Leather'] },
      'Twenty-four-hour dial, sapphire glass, and a movement that any watchmaker can open and repair.'],
  ],
  Travel: [
    ['cabin-suitcase', 'Cabin suitcase', 19900, 19, 'luggage', { Colour: ['Cherry', 'Graphite'] },
      'Fits the lockers of nearly every airline, rolls on four silent wheels, and each part of it can be ordered as a spare.'],
    ['luggage-tags', 'Luggage tags, set of three', 1500, 160, 'label', none,
      'Leather tags with a flap over the address, because not everyone in the queue needs to read it.'],
    ['pocket-compass', 'Pocket compass', 3400, 38, 'compass', none,
      'A damped needle and a declination scale. Works without a signal, a battery or an account.'],
    ['trekking-tent', 'Two-person trekking tent', 32900, 8, 'tent', { Colour: ['Olive', 'Orange'] },
      'Weighs 1.9 kg and stands in four minutes in the rain, inner tent dry. Stakes and a repair sleeve included.'],
    ['pocket-torch', 'Pocket torch', 2700, 95, 'flashlight', none,
      'Aluminium, rechargeable, 300 lumens for four hours or ten lumens for a week. Floats.'],
  ],
  Care: [
    ['saddle-soap', 'Saddle soap', 1200, 110, 'soap', none,
      'Cleans leather without taking its oil along. Use little, wipe off, leave overnight, then wax.'],
    ['leather-balm', 'Leather balm', 1600, 88, 'lotion-bottle', { Volume: ['100 ml', '250 ml'] },
      'Beeswax, lanolin and nothing that you would not put on your hands. Makes an old bag look cared for and a new one look yours.'],
    ['mending-kit', 'Mending kit', 1900, 74, 'thread', none,
      'Twelve colours of thread, needles, buttons and a small card that explains the one seam you will need.'],
  ],
};

export const seedProducts: readonly SeedProduct[] = Object.entries(byCategory).flatMap(([category, rows]) =>
  rows.map(([productId, name, price, stock, image, options, description]) => ({
    productId,
    name,
    category,
    price,
    stock,
    image,
    options,
    description,
  })),
);
