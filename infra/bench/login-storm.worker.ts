/** auth as a process of its own, in memory, for `npm run bench -- login-storm`: tells its port, ends with its parent. */
import { readConfig, start } from '@cloakroom/auth';
import { createLogger, openEventLog, systemClock } from '@cloakroom/platform';

const log = createLogger('bench', 'silent');
const eventLog = await openEventLog({ kind: 'embedded', log, clock: systemClock });
const unlimited = '100000000';
const config = readConfig({
  ...process.env,
  SERVICE_NAME: 'auth',
  REPLICA: '1',
  LISTEN_PORT: '0',
  ADMIN_PORT: '0',
  LOG_LEVEL: 'silent',
  MESH_TLS: 'off',
  EVENT_LOG: 'embedded',
  SESSION_STORE: 'memory',
  DATABASE_URL: 'sqlite::memory:',
  GUEST_LIMIT_PER_HOUR: unlimited,
  GUEST_LIMIT_PER_HOUR_IN_ALL: unlimited,
});
const auth = await start(config, { log, clock: systemClock, eventLog });
process.on('disconnect', () => void auth.stop().then(() => process.exit(0)));
process.send!({ address: auth.url });
