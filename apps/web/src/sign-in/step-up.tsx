/**
 * Some actions need a proof that is at most minutes old (step-up). The page tries the action first. If the gateway refuses it for want of a fresh
 * proof, the page asks the person for one and repeats the action.
 */
import { createContext, lazy, Suspense, use, useCallback, useState, type ReactNode } from 'react';
import { ApiProblem } from '../api/request.ts';

const StepUpDialog = lazy(() => import('./step-up-dialog.tsx'));

type WithStepUp = <Result>(action: () => Promise<Result>) => Promise<Result>;

const StepUpContext = createContext<WithStepUp | undefined>(undefined);

export function useStepUp(): WithStepUp {
  const withStepUp = use(StepUpContext);
  if (!withStepUp) throw new Error('useStepUp outside of StepUpProvider');
  return withStepUp;
}

export function StepUpProvider({ children }: { readonly children: ReactNode }) {
  const [asking, setAsking] = useState<{ readonly answer: (proven: boolean) => void }>();
  const withStepUp: WithStepUp = useCallback(async (action) => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.code !== 'step_up_required') throw error;
      const proven = await new Promise<boolean>((answer) => setAsking({ answer }));
      setAsking(undefined);
      if (!proven) throw error;
      return action();
    }
  }, []);
  return (
    <StepUpContext value={withStepUp}>
      {children}
      <Suspense>{asking && <StepUpDialog onDone={asking.answer} />}</Suspense>
    </StepUpContext>
  );
}
