import { createServer } from 'node:http'
import express, { type Response } from 'express'
import { HEADERS, listening, type StartPeer } from '../peer.ts'

/** What most tutorials show: Express, an array of clients, JSON for each of them. */
export const start: StartPeer = async () => {
  let clients: Response[] = []
  const app = express()
  app.get('/events', (request, response) => {
    response.writeHead(200, HEADERS).flushHeaders()
    clients.push(response)
    request.on('close', () => {
      clients = clients.filter((client) => client !== response)
    })
  })
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      for (const client of clients) client.write(`event: news\ndata: ${JSON.stringify(payload)}\n\n`)
    },
  }
}
