import { useEventReducer, useEventSource } from '@sse/react'
import { Connection } from './Connection.tsx'
import { Counter } from './Counter.tsx'
import { live } from './live.ts'
import { Masthead } from './Masthead.tsx'
import { NoticeForm } from './NoticeForm.tsx'
import { Notices } from './Notices.tsx'
import { emptyInbox, heard, received } from './notice.ts'
import { Page } from './Page.tsx'
import { Presence } from './Presence.tsx'
import { requests } from './requests.ts'
import { Servers } from './Servers.tsx'
import { Tape } from './Tape.tsx'
import { Toasts } from './Toasts.tsx'
import { useRecording } from './useRecording.ts'
import { useToasts } from './useToasts.ts'
import { me } from './visitor.ts'

/** The page: hands what the stream delivers to the components that show it. */
export function App() {
  const { toasts, show, dismiss } = useToasts()
  const { latest } = useEventSource(live, {
    on: {
      notification: ({ id, from, to, text }, meta) => {
        // What was sent before a first-time reader connected is no news.
        if (meta.replayed && live.getState().continuity === 'fresh') return
        const title = `${from} to ${to ?? 'everybody'}`
        show({
          id,
          title: meta.replayed ? `${title}, caught up` : title,
          text,
          late: meta.replayed,
        })
      },
    },
  })
  const { notices } = useEventReducer(live, {
    initial: emptyInbox,
    reduce: { notification: received, presence: heard },
  })
  const recording = useRecording(live)

  const complain = (error: Error) => {
    // A new id each time, so that a repeated failure is read out again and stays for the full time.
    show({ id: `failure ${performance.now()}`, title: 'That did not work', text: error.message, late: true })
  }

  return (
    <>
      <Page
        masthead={<Masthead me={me.name} />}
        connection={
          <Connection source={live} onCut={() => void requests.cut({ id: me.id }).catch(complain)} />
        }
        servers={
          <Servers source={live} onKill={(server) => void requests.kill({ server }).catch(complain)} />
        }
        tape={<Tape recording={recording} ticking={latest.server !== undefined} />}
      >
        <Counter
          counter={latest.counter}
          onCount={(by) => void requests.count({ by, from: me.name }).catch(complain)}
        />
        <div className="cell people">
          <Presence presence={latest.presence} me={me.name} />
          <NoticeForm
            names={latest.presence?.visitors.map(({ name }) => name) ?? []}
            onSend={(to, text) => requests.notify({ from: me.name, to, text })}
          />
        </div>
        <Notices notices={notices} />
      </Page>
      <Toasts toasts={toasts} onDismiss={dismiss} />
    </>
  )
}
