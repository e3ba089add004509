import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './start.ts';

runProcess('catalog', () => readConfig(), start);
