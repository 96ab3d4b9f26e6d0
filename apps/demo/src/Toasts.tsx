export interface Toast {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly late: boolean
}

interface ToastsProps {
  readonly toasts: readonly Toast[]
  readonly onDismiss: (id: string) => void
}

/** What just arrived. Each disappears when its bar has run out; the bar stops while the toast is hovered or focused. */
export function Toasts({ toasts, onDismiss }: ToastsProps) {
  return (
    <section className="toasts" aria-label="New notifications">
      <ol aria-live="polite" aria-relevant="additions">
        {toasts.map(({ id, title, text, late }) => (
          <li key={id} className="toast" data-late={late}>
            <p className="toast-title">{title}</p>
            <p className="toast-text">{text}</p>
            <button
              type="button"
              className="toast-dismiss"
              onClick={() => onDismiss(id)}
              aria-label={`Dismiss: ${title}`}
            >
              ×
            </button>
            <span className="toast-time" onAnimationEnd={() => onDismiss(id)} />
          </li>
        ))}
      </ol>
    </section>
  )
}
