import type { ReactNode, RefObject } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Popover as Placed } from 'react-aria-components/Popover';

interface PopoverProps {
  readonly trigger: RefObject<HTMLElement | null>;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export default function Popover({ trigger, title, onClose, children }: PopoverProps) {
  return (
    <Placed className="popover" triggerRef={trigger} isOpen onOpenChange={(open) => !open && onClose()} offset={8} containerPadding={8}>
      <Dialog aria-label={title}>{children}</Dialog>
    </Placed>
  );
}
