import type { FaultOn, FaultsView, FaultWanted } from '../../../src/api.ts';
import { act, type Failure } from '../api/observatory.ts';
import { useReading } from '../api/use-reading.ts';

/** A switch counts down in seconds. */
const rereadMs = 1_000;

export interface Faults {
  readonly view: FaultsView | undefined;
  readonly failure: Failure | undefined;
  readonly switchOn: (name: string, wanted: FaultWanted) => Promise<FaultOn>;
  readonly end: (which: string) => Promise<void>;
}

/** Others switch too, and each switch ends by itself. So the list is read again each second. */
export function useFaults(): Faults {
  const { value: view, failure, reread } = useReading<FaultsView>('/api/faults', rereadMs);
  return {
    view,
    failure,
    switchOn: async (name, wanted) => {
      const on = await act<FaultOn>('PUT', `/api/faults/${encodeURIComponent(name)}`, wanted);
      await reread();
      return on;
    },
    end: async (which) => {
      await act<readonly FaultOn[]>('DELETE', `/api/faults${which === '' ? '' : `/${encodeURIComponent(which)}`}`);
      await reread();
    },
  };
}
