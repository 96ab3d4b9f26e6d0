import { ThemeSwitch } from './ThemeSwitch.tsx'

/** Whose page this is, and who reads it. */
export function Masthead({ me }: { me: string }) {
  return (
    <header className="masthead">
      <p className="wordmark">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 7h26M3 25h7M22 25h7M6 7v18" />
          <path className="late" d="M12 7l13 18M18 7l7 18" />
        </svg>
        @sse
      </p>
      <p className="me">
        You are <strong data-testid="me">{me}</strong>
      </p>
      <ThemeSwitch />
    </header>
  )
}
