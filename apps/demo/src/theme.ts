import { storage } from './storage.ts'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'theme'

export const themes: readonly Theme[] = ['system', 'light', 'dark']

/** The theme chosen before; `system` follows `prefers-color-scheme`. */
export function storedTheme(): Theme {
  const stored = storage('localStorage')?.getItem(KEY)
  return themes.find((theme) => theme === stored) ?? 'system'
}

export function applyTheme(theme: Theme): void {
  storage('localStorage')?.setItem(KEY, theme)
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}
