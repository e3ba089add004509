/** A small dialog beside its button. Its code (popover.tsx), which places it and holds the focus, is loaded when the first one opens. */
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';

export const loadPopover = () => import('./popover.tsx');
const LoadedPopover = lazy(loadPopover);

interface LazyPopoverProps {
  readonly button: ReactNode;
  readonly buttonName?: string;
  readonly buttonClass: string;
  /** The name of the dialog. */
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
