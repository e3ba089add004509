import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './auth.module.ts';

runProcess('auth', () => readConfig(), start);
