import { runProcess } from '@cloakroom/platform';
import { readConfig, start } from './profile.module.ts';

runProcess('profile', () => readConfig(), start);
