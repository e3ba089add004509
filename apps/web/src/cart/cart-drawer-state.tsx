/** Holds whether the drawer with the cart is open. Its code is loaded later (cart-drawer.tsx), because most visits begin without it. */
import { createContext, lazy, Suspense, use, useMemo, useState, type ReactNode } from 'react';
import { useLocation } from 'react-router';

interface CartDrawerParts {
  readonly isOpen: boolean;
  /** @param added names what the person just put into the cart */
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
  // The drawer belongs to the page that it was opened on, so it closes when the person goes to another page.
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
