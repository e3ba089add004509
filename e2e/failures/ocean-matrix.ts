/**
 * THE table of the ocean: what each operation does while the ocean is broken, in each way in which it can be. Tests (regions/ocean-matrix.regions.e2e.ts)
 * really break it, on both sides, and hold two regions to every cell. docs/failures.md shows the table, and document.e2e.ts compares the two.
 */
import type { FailureOperation, OceanCommand } from '@cloakroom/contracts';

export const regions = ['eu', 'us'] as const;
export type Region = (typeof regions)[number];

/** @property cutOff the sides that can ask nothing of the other one */
interface OceanFault {
  readonly title: string;
  readonly command: OceanCommand;
  readonly cutOff: readonly Region[];
}

export const oceanFaults: readonly OceanFault[] = [
  { title: 'cut both ways', command: { do: 'cut' }, cutOff: regions },
  { title: 'no byte from eu to us', command: { do: 'cut', way: 'eu-us' }, cutOff: regions },
  { title: 'no byte from us to eu', command: { do: 'cut', way: 'us-eu' }, cutOff: regions },
  { title: 'no connection dialled from eu', command: { do: 'refuse-dials', way: 'eu-us' }, cutOff: ['eu'] },
  { title: 'no connection dialled from us', command: { do: 'refuse-dials', way: 'us-eu' }, cutOff: ['us'] },
  { title: 'held both ways', command: { do: 'hold' }, cutOff: regions },
];

export const oceanColumns = {
  cutOff: 'here, where home or the other region cannot be asked',
  asks: 'here, where it can be asked: the other side alone may not dial',
} as const;
export type OceanColumn = keyof typeof oceanColumns;

export const oceanOutcomes = {
  works: { text: 'works' },
  degraded: { text: 'works to the passport’s end, and says `degraded`' },
  copy: { text: 'the copy that this gateway kept, with its age' },
  bound: { text: 'accepted for 60 s at most, the rest of a passport; then refused' },
  soon: { text: 'refused within seconds' },
  refused: { text: '503 `home_region_unreachable`', code: 'home_region_unreachable' },
} as const;
export type OceanOutcome = keyof typeof oceanOutcomes;

interface Row {
  readonly title: string;
  /** The request and its budget. */
  readonly operation: FailureOperation;
  readonly cutOff: OceanOutcome;
  readonly asks: OceanOutcome;
}

const always = (title: string, operation: FailureOperation): Row => ({ title, operation, cutOff: 'works', asks: 'works' });
const abroad = (title: string, operation: FailureOperation, cutOff: OceanOutcome, asks: OceanOutcome = 'works'): Row => ({
  title,
  operation,
  cutOff,
  asks,
});

export const oceanRows = {
  catalog: always('anybody: browse, search', 'public'),
  guestWrite: always('guest of this region: cart, write', 'cartWrite'),
  guestRead: always('guest of this region: cart, read', 'cartRead'),
  signInHome: always('account of this region: sign-in', 'login'),
  sessionHome: always('account of this region: session', 'session'),
  sensitiveHome: always('account of this region: devices', 'sensitive'),
  profileReadHome: always('account of this region: profile, read', 'profileRead'),
  profileWriteHome: always('account of this region: profile, write', 'profileWrite'),
  cartHome: always('account of this region: cart, write', 'cartWrite'),
  orderHome: always('account of this region: check out', 'checkOut'),
  signInAbroad: abroad('account of the other region: sign-in', 'login', 'refused'),
  sessionKnown: abroad('account of the other region, seen here within a minute: session', 'session', 'degraded'),
  sessionStrict: abroad('the same at a gateway with `CUT_OFF=strict`: session', 'session', 'refused'),
  sessionUnseen: abroad('account of the other region, not seen here: session', 'session', 'refused'),
  cartKnown: abroad('account of the other region, seen here within a minute: cart, write', 'cartWrite', 'degraded'),
  profileKnown: abroad('account of the other region, profile read here before: profile, read', 'profileRead', 'copy'),
  profileUnseen: abroad('account of the other region, profile not read here: profile, read', 'profileRead', 'refused'),
  profileWrite: abroad('account of the other region: profile, write', 'profileWrite', 'refused'),
  sensitive: abroad('account of the other region: devices', 'sensitive', 'refused'),
  sensitiveStrict: abroad('the same at a gateway with `CUT_OFF=strict`: devices', 'sensitive', 'refused'),
  order: abroad('account of the other region: check out', 'checkOut', 'refused'),
  ended: abroad('a device that home has ended meanwhile: cart, read', 'cartRead', 'bound', 'soon'),
  logout: abroad('account of the other region: sign-out', 'logout', 'refused'),
} as const satisfies Readonly<Record<string, Row>>;
export type OceanRow = keyof typeof oceanRows;

/** Whether this side is cut off by the fault. */
export const columnOf = ({ cutOff }: OceanFault, here: Region): OceanColumn => (cutOff.includes(here) ? 'cutOff' : 'asks');
