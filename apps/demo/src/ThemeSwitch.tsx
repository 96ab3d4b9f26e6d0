import { useEffect, useState } from 'react'
import { applyTheme, storedTheme, themes } from './theme.ts'

const words = { system: 'Auto', light: 'Light', dark: 'Dark' } as const

/** Light, dark, or as the system is set. */
export function ThemeSwitch() {
  const [chosen, choose] = useState(storedTheme)
  useEffect(() => applyTheme(chosen), [chosen])
  return (
    <fieldset className="theme">
      <legend className="unseen">Colour theme</legend>
      {themes.map((theme) => (
        <label key={theme} className="theme-option">
          <input
            type="radio"
            name="theme"
            className="unseen"
            checked={theme === chosen}
            onChange={() => choose(theme)}
          />
          <span>{words[theme]}</span>
        </label>
      ))}
    </fieldset>
  )
}
