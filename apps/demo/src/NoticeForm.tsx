import { type SubmitEvent, useState } from 'react'

interface NoticeFormProps {
  /** The names that can be chosen. */
  readonly names: readonly string[]
  /** Resolves once the server has accepted it; otherwise rejects with the reason. */
  readonly onSend: (to: string | null, text: string) => Promise<void>
}

type Outcome = { readonly sent: string } | { readonly refused: string } | undefined

/** Sends a notification to everybody or to one visitor. */
export function NoticeForm({ names, onSend }: NoticeFormProps) {
  const [to, setTo] = useState('')
  const [text, setText] = useState('')
  const [sending, setSending] = useState(false)
  const [outcome, setOutcome] = useState<Outcome>()
  // A visitor who has left stays selected until the sender selects another: a message must not go to everybody by accident.
  const choices = to === '' || names.includes(to) ? names : [...names, to]
  const refused = outcome !== undefined && 'refused' in outcome

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (sending) return
    setSending(true)
    try {
      await onSend(to === '' ? null : to, text)
      setText((now) => (now === text ? '' : now)) // what was typed meanwhile stays
      setOutcome({ sent: to === '' ? 'Sent to everybody.' : `Sent to ${to}.` })
    } catch (error) {
      setOutcome({ refused: error instanceof Error ? error.message : String(error) })
    } finally {
      setSending(false)
    }
  }

  return (
    <section className="notify" aria-labelledby="notify-title">
      <h2 id="notify-title" className="label">
        Notify
      </h2>
      <form className="notice-form" onSubmit={submit} noValidate>
        <label className="field">
          <span className="field-name">To</span>
          <select value={to} onChange={(event) => setTo(event.target.value)}>
            <option value="">Everybody</option>
            {choices.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span className="field-name">Message</span>
          <input
            value={text}
            onChange={(event) => setText(event.target.value)}
            maxLength={140}
            autoComplete="off"
            enterKeyHint="send"
            aria-invalid={refused}
            aria-describedby="notify-outcome"
          />
        </label>
        <div className="notice-form-end">
          <p id="notify-outcome" className="hint" role="status" data-refused={refused}>
            {outcome === undefined ? '' : 'sent' in outcome ? outcome.sent : outcome.refused}
          </p>
          <button type="submit" className="key key-main">
            Send
          </button>
        </div>
      </form>
    </section>
  )
}
