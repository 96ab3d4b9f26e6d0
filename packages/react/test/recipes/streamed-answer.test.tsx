import { createServer } from 'node:http'
import { defineEvents, text } from '@sse/contract'
import { sse } from '@sse/express'
import { serve } from '@sse/express/testing'
import { screen, waitFor } from '@testing-library/react'
import express from 'express'
import { useState } from 'react'
import { expect, it, onTestFinished } from 'vitest'
import { EventSourceProvider, useEventReducer, useEventSource } from '../../src/index.ts'
import { mount } from '../mount.tsx'

const events = defineEvents({ token: text() })

/** POST begins an answer, GET streams it; the test says its words. */
async function startAnswers() {
  const hub = sse({ events, retry: 50 })
  const words = new EventTarget()
  const app = express()
  let begun = 0
  app.use((_req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    next()
  })
  app.use(hub)
  app.post('/answers', (_req, res) => {
    begun += 1
    const id = String(begun)
    void hub.channel(`answer:${id}`).run(async function* () {
      for (;;) {
        const word = await new Promise<string | null>((resolve) =>
          words.addEventListener('word', (event) => resolve((event as CustomEvent).detail), { once: true }),
        )
        if (word === null) return
        yield { event: 'token', data: word }
      }
    })
    res.status(201).json({ id })
  })
  app.get('/answers/:id', async (req, res) => {
    await res.sse.join(`answer:${req.params.id}`, { last: Number.POSITIVE_INFINITY })
  })
  const server = createServer(app)
  const url = await serve(server)
  onTestFinished(async () => {
    await hub.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    url,
    get begun() {
      return begun
    },
    say: (word: string | null) => words.dispatchEvent(new CustomEvent('word', { detail: word })),
    cut: () => server.closeAllConnections(),
  }
}

/** The stream is named by the answer's id, so a lost connection, or a page loaded anew, goes on with the same answer. */
function Answer({ api, id }: { readonly api: string; readonly id: string }) {
  const url = `${api}/answers/${id}`
  const { status } = useEventSource(url, { events })
  const answer = useEventReducer(url, {
    events,
    initial: '',
    reduce: { token: (words, word) => words + word },
  })
  return <p>{`${status}: ${answer}`}</p>
}

function Chat({ api, asked }: { readonly api: string; readonly asked?: string }) {
  const [id, setId] = useState(asked)
  const ask = async () => {
    const response = await fetch(`${api}/answers`, { method: 'POST' })
    setId((await response.json()).id)
  }
  return id === undefined ? (
    <button type="button" onClick={ask}>
      Ask
    </button>
  ) : (
    <Answer api={api} id={id} />
  )
}

it('streams an answer that outlives its connection and its page', async () => {
  const answers = await startAnswers()
  const page = mount(<Chat api={answers.url} />, { strict: true })
  screen.getByRole('button').click()
  await screen.findByText('open:')
  answers.say('Once ')
  await screen.findByText('open: Once')
  answers.cut()
  await screen.findByText('retrying: Once')
  answers.say('upon ')
  await screen.findByText('open: Once upon')
  page.unmount()

  // Another page knows nothing but the id.
  mount(
    <EventSourceProvider>
      <Chat api={answers.url} asked="1" />
    </EventSourceProvider>,
    { strict: true },
  )
  await screen.findByText('open: Once upon')
  answers.say('a time')
  await screen.findByText('open: Once upon a time')
  answers.say(null)
  await waitFor(() => screen.getByText('closed: Once upon a time'))
  expect(answers.begun).toBe(1)
})
