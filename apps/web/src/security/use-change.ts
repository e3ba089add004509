import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../api/shop.tsx';
import { useStepUp } from '../sign-in/step-up.tsx';

/** A change of what proves who somebody is: with step-up, and afterwards all that tells of it is read again. */
export function useChange<Input, Answer>(act: (input: Input) => Promise<Answer>, onSuccess?: (answer: Answer, input: Input) => unknown) {
  const withStepUp = useStepUp();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (input: Input) => withStepUp(() => act(input)),
    ...(onSuccess && { onSuccess }),
    onSettled: () => Promise.all([keys.factors, keys.notices, keys.devices].map((queryKey) => queryClient.invalidateQueries({ queryKey }))),
  });
}
