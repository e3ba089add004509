/** Commands of the network between two regions (`npm start -- --profile regions`), and its answers to its command and to the Observatory. */

/** The way that bytes go: `eu-us` is from eu to us. */
export type OceanWay = 'eu-us' | 'us-eu';

/**
 * open: bytes arrive after the delay. held: bytes and ends of connections wait, and arrive after the heal. cut: bytes and ends of connections are lost,
 * and a connection that lost one is reset by the heal.
 */
export type WayState = 'open' | 'held' | 'cut';

export interface WayStatus {
  readonly way: OceanWay;
  readonly state: WayState;
  /** Whether the region where the way begins may dial. */
  readonly dials: 'open' | 'refused';
  /** Bytes that arrived, since the ocean started. */
  readonly bytes: number;
  /** Open connections that the region where the way begins has dialled. */
  readonly connections: number;
  /** Undefined until the mirror of this way has been read. */
  readonly mirror?: MirrorLag | undefined;
}

/** How far the copy of a region's topics is behind, as the mirror last confirmed it: it does so each second. */
export interface MirrorLag {
  readonly records: number;
  /** The copy lacks a record that stood in the log this long ago; 0 where it lacks none. */
  readonly ms: number;
  /** The age of this answer. */
  readonly askedAgoMs: number;
}

export interface OceanStatus {
  readonly rttMs: number;
  /** The longest round trip that the ocean takes. */
  readonly rttMaxMs: number;
  readonly ways: readonly WayStatus[];
}

/** A command without a way is for both. */
export type OceanCommand =
  | { readonly do: 'cut' | 'hold' | 'refuse-dials'; readonly way?: OceanWay | undefined }
  | { readonly do: 'heal' }
  | { readonly do: 'rtt'; readonly rttMs: number };
