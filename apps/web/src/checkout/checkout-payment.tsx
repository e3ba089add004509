import { Icon } from '../components/icons.tsx';
import { paymentMethods, type PaymentMethod } from '../orders/payment-methods.ts';

interface PaymentStepProps {
  readonly method: PaymentMethod;
  readonly onChoose: (method: PaymentMethod) => void;
  readonly disabled: boolean;
}

export function PaymentStep({ method: chosen, onChoose, disabled }: PaymentStepProps) {
  return (
    <section className="sheet" aria-labelledby="pay-with">
      <h2 id="pay-with">Pay with</h2>
      <p className="note plain-note with-icon">
        <Icon name="ticket" size={18} /> These cards are simulated, and nothing is ever charged. Each shows another way for a payment to go.
      </p>
      <fieldset className="options" aria-labelledby="pay-with" disabled={disabled}>
        {paymentMethods.map(({ method, name, what }) => (
          <label key={method} className="option">
            <input type="radio" name="payment" value={method} checked={method === chosen} onChange={() => onChoose(method)} />
            <Card name={name} what={what} />
          </label>
        ))}
      </fieldset>
    </section>
  );
}

function Card({ name, what }: { readonly name: string; readonly what: string }) {
  return (
    <span>
      <strong>{name}</strong>
      <span className="quiet">Simulated: {what}</span>
    </span>
  );
}

export const focusPayment = (): void => document.querySelector<HTMLElement>('input[name="payment"]:checked')?.focus();
