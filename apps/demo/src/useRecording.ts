import type { TypedEventSource } from '@sse/react'
import { useEffect, useState } from 'react'
import type { events } from '../shared/events.ts'
import { type Recording, record } from './recording.ts'

/** Records a source while the component is mounted. */
export function useRecording(source: TypedEventSource<typeof events>): Recording | undefined {
  const [recording, setRecording] = useState<Recording>()
  useEffect(() => {
    const started = record(source)
    setRecording(started)
    return () => started.stop()
  }, [source])
  return recording
}
