import { Dialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { Link } from 'react-router';
import { CartState, EmptyCart, Subtotal } from './cart-status.tsx';
import { CartLines } from './cart-lines.tsx';
import { countOf, useCart } from './cart.ts';
import { plural } from '../format.ts';
import { Icon } from '../components/icons.tsx';
import { PendingNotes } from './pending.tsx';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';

interface CartDrawerProps {
  readonly added: string | undefined;
  readonly onClose: () => void;
}

/** The cart beside the page. It holds the focus while it is open, and gives it back to the button that opened it. */
export default function CartDrawer({ added, onClose }: CartDrawerProps) {
  const { session } = useSession();
  const cart = useCart();
  const lines = cart.data?.lines ?? [];
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <Modal className="drawer">
        <Dialog className="drawer-dialog">
          <header className="drawer-head">
            <Heading slot="title">
              Your cart <span className="quiet">{plural(countOf(cart.data), 'item')}</span>
            </Heading>
            <button type="button" className="icon-button" aria-label="Close cart" onClick={onClose}>
              <Icon name="close" />
            </button>
          </header>
          <div className="drawer-body">
            {added !== undefined && <output className="note good">Added to your cart: {added}.</output>}
            <PendingNotes whole />
            <ProblemNote error={cart.error} onRetry={() => void cart.refetch()} />
            {cart.isLoading && <Loading what="your cart" />}
            {cart.data && <CartState cart={cart.data} />}
            {lines.length > 0 && cart.data && <CartLines cart={cart.data} compact />}
            {(session?.state === 'none' || (cart.data && lines.length === 0)) && <EmptyCart />}
          </div>
          {cart.data && lines.length > 0 && (
            <footer className="drawer-foot">
              <Subtotal cart={cart.data} />
              <Link to="/checkout" className="button primary">
                Check out
              </Link>
              <Link to="/cart" className="button">
                View cart
              </Link>
              <button type="button" onClick={onClose}>
                Keep shopping
              </button>
            </footer>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
