/**
 * Where the ports of each stack begin that a suite of `npm test` starts. Suites run beside each other and beside a shop in use (4000), so no two of
 * these may share a port: test-bases.test.ts. Browsers refuse port 6000 (X11).
 */
export const testBases = {
  'e2e-embedded': 5000,
  'e2e-embedded-observatory': 5300,
  'e2e-native-observatory': 5600,
  'e2e-native': 6100,
  'e2e-native-postgres': 6400,
  'e2e-failures': 6700,
  integration: 7000,
  attacks: 7300,
  'e2e-embedded-faults': 7600,
  'e2e-native-faults': 7900,
  fuzz: 8200,
  labs: 8500,
  'planted-faults': 22_800,
  /** The second shop of a lab that runs two at once. */
  'labs-second-shop': 8800,
  /** Two regions take twice the room of a shop: 9,100 to 9,611. */
  'e2e-regions': 9100,
  'e2e-cluster': 30_300,
  'e2e-containers': 30_600,
} as const;
