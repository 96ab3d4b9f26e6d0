import type { Notice } from './notice.ts'

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** What arrived, the newest first. */
export function Notices({ notices }: { notices: readonly Notice[] }) {
  return (
    <section className="cell notices" aria-labelledby="notices-title">
      <h2 id="notices-title" className="label">
        Received
      </h2>
      {notices.length === 0 ? (
        <p className="hint">Nothing yet. Send yourself one, or open this page twice.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard must reach it to scroll it.
        <ol className="notice-list" tabIndex={0} aria-labelledby="notices-title">
          {notices.map((notice) => (
            <li key={notice.id} className="notice" data-arrival={notice.arrival}>
              <p className="notice-text">{notice.text}</p>
              <p className="notice-meta">
                <span>
                  {notice.from} to {notice.to ?? 'everybody'}
                </span>
                <time dateTime={new Date(notice.at).toISOString()}>{time.format(notice.at)}</time>
                {notice.arrival !== 'live' && <span className="notice-arrival">{notice.arrival}</span>}
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
