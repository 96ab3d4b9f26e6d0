import { createServer } from 'node:http'
import express from 'express'
import { listening, type Payload, type StartPeer } from '../peer.ts'

/** The same events by polling: one Express route that answers with the newest. */
export const start: StartPeer = async () => {
  let newest: Payload | undefined
  const app = express()
  app.get('/events', (_request, response) => {
    response.json(newest === undefined ? {} : { event: 'news', data: newest })
  })
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      newest = payload
    },
  }
}
