import { category, letters, twoSizes } from './table.ts';

// prettier-ignore
export const coats = category('Coats', {
  '2024-09-02': [
    ['wool-overcoat', 'Wool overcoat', 24900, 18, 'coat', { Size: letters, Colour: ['Charcoal', 'Camel', 'Navy'] },
      'A knee-length coat in heavy Italian wool with a half lining, two deep pockets and horn buttons. Cut to go over a jacket.'],
    ['chore-coat', 'Undyed chore coat', 13900, 26, 'lab-coat', { Size: letters },
      'Cotton twill the colour it grew, with four patch pockets. Softens with each wash and takes dye well if you would rather it did not stay white.'],
    ['cycling-vest', 'Reflective cycling vest', 4900, 60, 'safety-vest', { Size: twoSizes, Colour: ['Orange', 'Yellow'] },
      'Weighs 90 g and folds into its own pocket. Seen from 200 m in low beam, which is the whole point of it.'],
    ['quilted-wrap-jacket', 'Quilted wrap jacket', 11900, 14, 'martial-arts-uniform', { Size: letters },
      'A light padded jacket that closes with a belt instead of a zip. Worn indoors in January and outdoors in October.'],
    ['cotton-robe', 'Cotton kimono robe', 8900, 22, 'kimono', { Size: twoSizes, Colour: ['Indigo', 'Plum'] },
      'Crêpe cotton, printed by hand, with wide sleeves and a tie belt. Dries in an hour on the line.'],
  ],
  '2025-02-10': [
    ['loden-coat', 'Loden coat', 27900, 9, 'coat-forest', { Size: letters, Colour: ['Forest', 'Charcoal'] },
      'Fulled wool with a deep pleat in the back, as it has been cut in the Alps for two hundred years. Rain runs off it for the first hour.'],
    ['rain-parka', 'Long rain parka', 15900, 34, 'coat-mustard', { Size: letters, Colour: ['Mustard', 'Navy'] },
      'Welded seams, a peak in the hood and a hem that clears your knees. Cotton outside, so it does not rustle in the cinema.'],
    ['cotton-trench', 'Cotton trench coat', 23900, 17, 'coat-sand', { Size: letters, Colour: ['Sand', 'Black'] },
      'Tightly woven gabardine with a storm flap and a belt that you may knot instead of buckle. The lining buttons out for spring.'],
    ['barn-coat', 'Corduroy-collar barn coat', 16900, 21, 'lab-coat-brown', { Size: letters, Colour: ['Brown', 'Olive'] },
      'Heavy canvas, blanket lining and a collar that is kind to the neck. The lower pockets are large enough for gloves and an apple.'],
  ],
  '2025-09-01': [
    ['pea-coat', 'Double-breasted pea coat', 21900, 25, 'coat-navy', { Size: letters, Colour: ['Navy'] },
      'Melton wool at 780 g a metre with plain horn buttons. The collar stands up by itself when the wind asks for it.'],
    ['duffle-coat', 'Duffle coat', 22900, 13, 'coat-cherry', { Size: letters, Colour: ['Cherry', 'Navy', 'Camel'] },
      'Wooden toggles on leather loops, so that it can be closed with gloves on. The hood is cut wide enough for a cap.'],
    ['waxed-jacket', 'Waxed field jacket', 18900, 3, 'coat-olive', { Size: letters, Colour: ['Olive'] },
      'Dry-waxed cotton with a game pocket that mostly carries newspapers now. Wax it again every second autumn and leave it to your children.'],
    ['boiled-wool-coat', 'Boiled wool coat', 17900, 19, 'coat-plum', { Size: letters, Colour: ['Plum', 'Grey'] },
      'One layer of felted wool, no lining, raw edges that do not fray. Weighs little more than a cardigan and is as warm as a coat.'],
    ['padded-gilet', 'Padded gilet', 8900, 42, 'safety-vest-slate', { Size: letters, Colour: ['Slate', 'Moss'] },
      'Recycled filling between two layers of matt nylon, with a pocket that holds a book. Under a coat in winter, over a shirt in April.'],
  ],
  '2025-11-03': [
    ['down-parka', 'Winter down parka', 31900, 11, 'coat-black', { Size: letters, Colour: ['Black', 'Slate'] },
      'Traceable down, a snow skirt and a hood that can be drawn to a small window. Tested at minus 25 degrees by people waiting for a bus.'],
    ['wind-shell', 'Packable wind shell', 7900, 56, 'coat-sky', { Size: letters, Colour: ['Sky', 'Rust'] },
      'Sixty-eight grams of ripstop that shrink to the size of a lemon. Keep it at the bottom of the bag and forget about it until the ferry.'],
    ['waffle-robe', 'Waffle house robe', 7400, 0, 'kimono-teal', { Size: twoSizes, Colour: ['Teal', 'White'] },
      'Honeycomb cotton that drinks up water and gives it back to the air. Two pockets, one of them deep enough for a paperback.'],
    ['padded-hanten', 'Padded hanten jacket', 12900, 8, 'martial-arts-uniform-indigo', { Size: twoSizes, Colour: ['Indigo'] },
      'A short house jacket filled with cotton wadding and quilted by hand. Made for rooms where one heats the person and not the air.'],
  ],
});
