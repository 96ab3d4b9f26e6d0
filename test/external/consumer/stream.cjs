// One event from an Express server to a client in the same process, which then has to end by itself.
const { createEventSource } = require('@sse/client')
const { defineEvents, payload } = require('@sse/contract')
const { sse } = require('@sse/express')

const express = require(process.argv[2])

const events = defineEvents({ headline: payload() })
const hub = sse({ events })
const app = express()
app.use(hub)
app.get('/events', (_req, res, next) => {
  res.sse
    .join('news')
    .then(() => hub.channel('news').publish('headline', { title: 'Hello' }))
    .catch(next)
})

const server = app.listen(0, '127.0.0.1', () => {
  const live = createEventSource(`http://127.0.0.1:${server.address().port}/events`, { events })
  live.on('headline', async (data) => {
    process.stdout.write(`headline ${JSON.stringify(data)}\n`)
    live.close()
    await hub.close()
    server.close(() => process.stdout.write('closed\n'))
  })
})
