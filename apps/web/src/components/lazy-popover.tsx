/** A small dialog beside its button. The primitives that place it and hold the focus arrive with the first one that opens (popover.tsx). */
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';

export const loadPopover = () => import('./popover.tsx');
const LoadedPopover = lazy(loadPopover);

interface LazyPopoverProps {
  readonly button: ReactNode;
  readonly buttonName?: string;
  readonly buttonClass: string;
  /** What the dialog is called. */
  readonly title: string;
  readonly children: (close: () => void) => ReactNode;
}

export function LazyPopover({ button, buttonName, buttonClass, title, children }: LazyPopoverProps) {
  const trigger = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        ref={trigger}
        type="button"
        className={buttonClass}
        aria-label={buttonName}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onPointerEnter={() => void loadPopover()}
        onClick={() => setOpen(!isOpen)}
      >
        {button}
      </button>
      <Suspense>
        {isOpen && (
          <LoadedPopover trigger={trigger} title={title} onClose={() => setOpen(false)}>
            {children(() => setOpen(false))}
          </LoadedPopover>
        )}
      </Suspense>
    </>
  );
}
