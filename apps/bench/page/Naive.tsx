import { useEffect, useState } from 'react'
import { counts } from './counts.ts'

/** The newest event as it is mostly done: `EventSource` in an effect, state for each event. */
export function Naive(): React.ReactNode {
  const [news, setNews] = useState<{ text: string }>()
  useEffect(() => {
    const source = new EventSource('/events')
    source.addEventListener('news', ({ data }) => {
      counts.events += 1
      setNews(JSON.parse(data))
    })
    return () => source.close()
  }, [])
  counts.renders += 1
  return <output>{news?.text}</output>
}
