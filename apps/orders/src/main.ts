import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './orders.module.ts';

runProcess('orders', () => readConfig(), start);
