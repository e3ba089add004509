import { runProcess } from '@cloakroom/platform/process-life';
import { readConfig, start } from './start.ts';

runProcess('observatory', readConfig, start);
