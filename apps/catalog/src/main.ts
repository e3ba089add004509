import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './catalog.module.ts';

runProcess('catalog', () => readConfig(), start);
