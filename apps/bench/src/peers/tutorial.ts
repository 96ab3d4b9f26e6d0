import { createServer } from 'node:http'
import express, { type Response } from 'express'
import { blockOf, HEADERS, listening, type StartPeer, userOf } from '../peer.ts'

interface Client {
  readonly user: number | undefined
  readonly response: Response
}

/** What most tutorials show: Express, an array of clients, and `JSON.stringify` for each of them. */
export const start: StartPeer = async () => {
  let clients: Client[] = []
  const app = express()
  app.get('/events', (request, response) => {
    response.writeHead(200, HEADERS).flushHeaders()
    const client = { user: userOf(request.url), response }
    clients.push(client)
    request.on('close', () => {
      clients = clients.filter((other) => other !== client)
    })
  })
  return {
    port: await listening(createServer(app)),
    publish(payload, user) {
      for (const client of clients) {
        if (user === undefined || client.user === user) client.response.write(blockOf(payload))
      }
    },
  }
}
