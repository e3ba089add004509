import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './start.ts';

runProcess('orders', () => readConfig(), start);
