/** EXERCISE: the embedded shop with a wrong cart in it. Takes the place of infra/embedded.ts; its one argument names the model. */
import { oneOf } from '../../infra/cli/command-line.ts';
import { doors, runEmbedded } from '../../infra/embedded.ts';
import { wrongModels } from './model.ts';
import { startWrongCart } from './wrong-cart.ts';

const name = oneOf('model', process.argv[2] ?? '(none)', wrongModels);
runEmbedded({ ...doors, cart: () => Promise.resolve((env, parts) => startWrongCart(name, env, parts)) });
