import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './start.ts';

runProcess('cart', () => readConfig(), start);
