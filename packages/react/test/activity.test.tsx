import { render } from '@testing-library/react'
import { Activity, type ReactElement } from 'react'
import { expect, it } from 'vitest'
import { EventSourceProvider, useEventReducer, useEventSource } from '../src/index.ts'
import { createMockTransport, type MockTransport } from '../src/testing/index.ts'
import { type Events, events } from './contract.ts'

type Hear = (title: string) => void

function Titles({ hear }: { readonly hear: Hear }) {
  const { source } = useEventSource<Events>('/events', {
    events,
    on: { notification: ({ title }) => hear(title) },
  })
  const titles = useEventReducer(source, {
    initial: [] as string[],
    reduce: { notification: (list, { title }) => [...list, title] },
  })
  return <p>{titles.join()}</p>
}

interface Page {
  readonly mock: MockTransport<Events>
  readonly heard: readonly string[]
  readonly text: () => string | null
  show(mode: 'visible' | 'hidden'): Promise<void>
}

function open(): Page {
  const mock = createMockTransport<Events>(events)
  const heard: string[] = []
  const hear: Hear = (title) => heard.push(title)
  const page = (mode: 'visible' | 'hidden'): ReactElement => (
    <EventSourceProvider transport={mock}>
      <Activity mode={mode}>
        <Titles hear={hear} />
      </Activity>
    </EventSourceProvider>
  )
  const { container, rerender } = render(page('hidden'))
  return {
    mock,
    heard,
    text: () => container.textContent,
    async show(mode) {
      rerender(page(mode))
      await mock.settle()
    },
  }
}

it('connects when it is shown, not when it is rendered ahead', async () => {
  const { mock, show } = open()
  await mock.settle()
  expect(mock.at('/events').requests).toHaveLength(0)
  await show('visible')
  expect(mock.at('/events').requests).toHaveLength(1)
})

it('resumes where it was hidden for long, and nothing is lost or told twice', async () => {
  const { mock, heard, show, text } = open()
  await show('visible')
  mock.at('/events').emit('notification', { title: 'a' })
  await show('hidden')
  await mock.advance(5000)
  mock.at('/events').emit('notification', { title: 'b' })
  await show('visible')
  expect(heard).toEqual(['a', 'b'])
  expect(text()).toBe('a,b')
  expect(mock.at('/events').requests).toHaveLength(2)
})

it('reduces what a lingering connection brings while hidden, of which handlers are not told', async () => {
  const { mock, heard, show, text } = open()
  await show('visible')
  await show('hidden')
  mock.at('/events').emit('notification', { title: 'a' })
  await show('visible')
  mock.at('/events').emit('notification', { title: 'b' })
  expect(heard).toEqual(['b'])
  expect(text()).toBe('a,b')
  expect(mock.at('/events').requests).toHaveLength(1)
})
