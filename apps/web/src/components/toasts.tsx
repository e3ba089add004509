/**
 * Short messages that come and go, each with at most one action. A message stays while the pointer or the focus is on it. It stays usable beside an
 * open drawer, because react-aria does not block elements that are marked as top layer.
 */
import { createContext, use, useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { Icon } from './icons.tsx';

interface Toast {
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

interface ShownToast extends Toast {
  readonly number: number;
}

type ShowToast = (toast: Toast) => void;

const ToastContext = createContext<ShowToast | undefined>(undefined);

export function useToast(): ShowToast {
  const show = use(ToastContext);
  if (!show) throw new Error('useToast outside of ToastProvider');
  return show;
}

/** Long enough to read a line, find the button and decide. */
const actionMs = 12_000;
const wordsMs = 6_000;
/** More messages at once would cover a small screen. */
const toastCountMax = 3;

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly ShownToast[]>([]);
  const count = useRef(0);
  const show = useCallback(
    (toast: Toast) => setToasts((shown) => [...shown, { ...toast, number: ++count.current }].slice(-toastCountMax)),
    [],
  );
  const drop = useCallback((number: number) => setToasts((shown) => shown.filter((toast) => toast.number !== number)), []);
  const newest = toasts.findLast(({ action }) => action !== undefined);
  useUndoKeys(newest && (() => (newest.action?.run(), drop(newest.number))));
  return (
    <ToastContext value={show}>
      {children}
      <section className="toasts" aria-label="Notifications" data-react-aria-top-layer="true">
        <div aria-live="polite">
          {toasts.map((toast) => (
            <ToastCard key={toast.number} toast={toast} onDone={drop} />
          ))}
        </div>
      </section>
    </ToastContext>
  );
}

function ToastCard({ toast, onDone }: { readonly toast: ShownToast; readonly onDone: (number: number) => void }) {
  const [held, setHeld] = useState(false);
  const { number, text, action } = toast;
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(() => onDone(number), action ? actionMs : wordsMs);
    return () => clearTimeout(timer);
  }, [held, number, action, onDone]);
  const hold = () => setHeld(true);
  const release = () => setHeld(false);
  return (
    <div className="toast" onPointerEnter={hold} onPointerLeave={release} onFocus={hold} onBlur={release}>
      <p>{text}</p>
      {action && (
        <button
          type="button"
          className="toast-action"
          aria-keyshortcuts="Control+Z Meta+Z"
          onClick={() => {
            action.run();
            onDone(number);
            keepPlace();
          }}
        >
          {action.label}
          <span className="toast-key" aria-hidden="true">
            Ctrl Z
          </span>
        </button>
      )}
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => (onDone(number), keepPlace())}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

/** A message that goes takes its pressed button with it. The focus then moves to the open drawer, or to the page. */
function keepPlace(): void {
  document.querySelector<HTMLElement>('[role=dialog], #content')?.focus();
}

/** Control+Z does the action of the newest message, so nobody has to reach it by Tab. In a text field the key belongs to the text. */
function useUndoKeys(undo: (() => void) | undefined): void {
  const latest = useRef(undo);
  useEffect(() => void (latest.current = undo));
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'z' || event.shiftKey || event.altKey || !(event.ctrlKey || event.metaKey)) return;
      if (event.target instanceof Element && event.target.closest('input, textarea, select')) return;
      if (latest.current === undefined) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}
