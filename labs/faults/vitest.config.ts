import { mergeConfig } from 'vitest/config';
import config from '../../vitest.config.ts';
import { faultPlugin } from './vitest-plugin.ts';

/** The tests as ever, with one fault planted in what they test. */
export default mergeConfig(config, {
  plugins: [faultPlugin(process.env['CLOAKROOM_MUTANT'] ?? '')],
  // A cached transform would serve another run's code.
  test: { fsModuleCache: false },
});
