import type { ReactNode } from 'react'

interface PageProps {
  readonly masthead: ReactNode
  readonly connection: ReactNode
  readonly servers: ReactNode
  readonly tape: ReactNode
  readonly children: ReactNode
}

/** How the page is laid out. */
export function Page({ masthead, connection, servers, tape, children }: PageProps) {
  return (
    <>
      {masthead}
      <main className="sheet">
        <div className="lead">
          <div className="pitch">
            <h1>
              Cut the line.
              <br />
              Miss nothing.
            </h1>
            <p>
              Open this page twice. Count in one and watch the other. Then cut one off and write to it: what
              was sent meanwhile arrives when it is back, in order and once.
            </p>
          </div>
          {connection}
        </div>
        {servers}
        {tape}
        <div className="cells">{children}</div>
      </main>
      <footer className="foot">
        <p>
          The same stream, without a browser: <code>curl -N {location.origin}/events</code>
        </p>
      </footer>
    </>
  )
}
