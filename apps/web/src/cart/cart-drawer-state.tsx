/** Whether the cart is shown beside the page. The drawer itself arrives later (cart-drawer.tsx): most visits begin without one. */
import { createContext, lazy, Suspense, use, useMemo, useState, type ReactNode } from 'react';
import { useLocation } from 'react-router';

interface CartDrawerParts {
  readonly isOpen: boolean;
  /** @param added what was just put into the cart, in words */
  readonly open: (added?: string) => void;
}

const CartDrawerContext = createContext<CartDrawerParts | undefined>(undefined);

export function useCartDrawer(): CartDrawerParts {
  const parts = use(CartDrawerContext);
  if (!parts) throw new Error('useCartDrawer outside of CartDrawerProvider');
  return parts;
}

export const loadCartDrawer = () => import('./cart-drawer.tsx');
const CartDrawer = lazy(loadCartDrawer);

export function CartDrawerProvider({ children }: { readonly children: ReactNode }) {
  const { pathname } = useLocation();
  const [opened, setOpened] = useState<{ readonly at: string; readonly added: string | undefined }>();
  // It belongs to the page that it was opened on: going elsewhere leaves it behind.
  if (opened !== undefined && opened.at !== pathname) setOpened(undefined);
  const isOpen = opened?.at === pathname;
  const parts = useMemo(() => ({ isOpen, open: (added?: string) => setOpened({ at: pathname, added }) }), [isOpen, pathname]);
  return (
    <CartDrawerContext value={parts}>
      {children}
      <Suspense>{isOpen && <CartDrawer added={opened.added} onClose={() => setOpened(undefined)} />}</Suspense>
    </CartDrawerContext>
  );
}
