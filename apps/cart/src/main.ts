import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './cart.module.ts';

runProcess('cart', () => readConfig(), start);
