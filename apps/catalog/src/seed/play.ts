import { category, none } from './table.ts';

// prettier-ignore
export const play = category('Play', {
  '2025-05-19': [
    ['delta-kite', 'Delta kite', 2900, 43, 'kite', { Colour: ['Red', 'Violet'] },
      'Ripstop on carbon rods, up in a wind that only just moves a flag. The tail is three metres long and packs in the pocket.'],
    ['yo-yo', 'Maple yo-yo', 1200, 81, 'yo-yo', { Colour: ['Red', 'Natural'] },
      'Turned from one piece, with a cotton string that sleeps at the bottom. Ten tricks are on the box, the eleventh is yours.'],
    ['boomerang', 'Returning boomerang', 1900, 37, 'boomerang', { Hand: ['Right', 'Left'] },
      'Birch plywood, shaped to come back after twenty metres. Throw it upright, then be patient.'],
    ['soccer-ball', 'Hand-sewn football', 3400, 48, 'soccer-ball', { Size: ['4', '5'] },
      'Thirty-two panels sewn by adults who are paid for it. Keeps its air for a season and its shape for several.'],
  ],
  '2025-09-01': [
    ['chess-set', 'Travel chess set', 5900, 19, 'chess-pawn', none,
      'A folding board with pegged pieces of boxwood, half of them stained dark. A game can be closed, carried off and gone on with.'],
    ['jigsaw', 'Thousand-piece jigsaw', 2400, 34, 'puzzle-piece', { Motif: ['Harbour', 'Night train'] },
      'Thick board, a linen finish and no two pieces alike. One piece is always under the sofa, which is not our doing.'],
    ['dice-set', 'Dice and cup', 1600, 62, 'game-die', none,
      'Five dice with drilled pips in a cup of saddle leather. The rules of six games are printed on the lining.'],
    ['teddy', 'Jointed teddy bear', 4900, 16, 'teddy-bear', { Size: ['25 cm', '40 cm'] },
      'Mohair, wood wool and a growl when it is tipped. He sits, stands and keeps secrets.'],
    ['nesting-dolls', 'Nesting dolls', 3900, 13, 'nesting-dolls', none,
      'Seven figures of lime wood, each with another coat. The smallest is as large as a grain of rice.'],
  ],
  '2025-11-03': [
    ['ukulele', 'Soprano ukulele', 8900, 12, 'guitar', { Wood: ['Mahogany', 'Maple'] },
      'Holds its tuning, has low strings and forgives everything else. Three chords are in the bag, more than most songs need.'],
    ['wooden-flute', 'Pear-wood recorder', 5400, 21, 'flute', none,
      'A warm tone, double holes and a case with a swab. Neighbours prefer it to plastic, and so do ears.'],
    ['magic-set', 'Beginner\'s magic set', 3400, 0, 'magic-wand', none,
      'A wand, three cups, a scarf and a deck that is not quite what it seems. Twelve tricks and the advice never to repeat one.'],
    ['darts-board', 'Sisal dartboard', 4600, 18, 'bullseye', none,
      'Self-healing fibre with a ring that turns when one field is worn. Six darts and a chalk board are included.'],
    ['accordion', 'Small button accordion', 24900, 2, 'accordion', { Colour: ['Red', 'Black'] },
      'Twenty-one buttons, eight basses and bellows with brass corners. Loud enough for a deck, small enough for a train.'],
  ],
});
