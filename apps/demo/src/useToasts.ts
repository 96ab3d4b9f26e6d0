import { useCallback, useState } from 'react'
import type { Toast } from './Toasts.tsx'

const SHOWN = 3

/** The toasts on show, the newest last. */
export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([])
  const show = useCallback((toast: Toast) => {
    setToasts((shown) => [...shown.filter(({ id }) => id !== toast.id), toast].slice(-SHOWN))
  }, [])
  const dismiss = useCallback((id: string) => {
    setToasts((shown) => shown.filter((toast) => toast.id !== id))
  }, [])
  return { toasts, show, dismiss }
}
