import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../api/shop.tsx';
import { useStepUp } from '../sign-in/step-up.tsx';

/** Makes a change of a credential or factor, with step-up. Afterwards the page reads again all data that shows it. */
export function useChange<Input, Answer>(act: (input: Input) => Promise<Answer>, onSuccess?: (answer: Answer, input: Input) => unknown) {
  const withStepUp = useStepUp();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (input: Input) => withStepUp(() => act(input)),
    ...(onSuccess && { onSuccess }),
    onSettled: () => Promise.all([keys.factors, keys.notices, keys.devices].map((queryKey) => queryClient.invalidateQueries({ queryKey }))),
  });
}
