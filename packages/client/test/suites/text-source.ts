import { defineEvents, text } from '@sse/contract'
import { afterEach, expect, vi } from 'vitest'
import { createEventSource, type TypedEventSource } from '../../src/index.ts'

/** Strings, which is what the standard knows. */
const events = defineEvents({ message: text(), test: text() })
type E = typeof events

/** A source of plain text, closed after the test, and what it heard: the name, the data, and the last event id. */
export function openText(url: string) {
  const source = createEventSource<E>(url, { events })
  opened.push(source)
  const heard: (readonly [event: string, data: string, id: string])[] = []
  source.on('*', ({ event, data, meta }) => heard.push([event, data, meta.id]))
  const until = (status: string) => vi.waitFor(() => expect(source.getState().status).toBe(status), 5_000)
  return { source, heard, until }
}
const opened: TypedEventSource<E>[] = []
afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})
