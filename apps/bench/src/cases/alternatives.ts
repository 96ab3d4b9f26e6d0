import { withFleet } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import { arrival, type Opening, type Rig } from '../rig.ts'
import { type Figures, takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const READERS = 1_000
const UPDATES = 20

/** The headers that a browser sends with every request. */
const BROWSER = [
  'Host: bench.example',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: */*',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-US,en;q=0.9',
  'Referer: http://bench.example/',
]

const get = (...headers: string[]): string =>
  ['GET /events HTTP/1.1', ...BROWSER, ...headers, '\r\n'].join('\r\n')

const POLL = get()

/** How each peer requests events: once, or for every update. */
const OPENINGS: Readonly<Record<string, Opening>> = {
  sse: { request: get('Accept: text/event-stream') },
  ws: {
    request: get(
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  },
  polling: { request: POLL },
}

/** The same events over an event stream, over WebSocket, and by polling. */
export async function alternatives(plan: Plan): Promise<Section[]> {
  progress('WebSocket and polling')
  const peers = chosen(plan, Object.keys(OPENINGS))
  const outcomes = await withFleet(
    peers.keys(),
    (rig, peer) => rig.open(READERS, { every: 100, ...OPENINGS[peer] }),
    (fleet) => takeTurns(peers, (peer) => update(fleet.rig(peer), peer === 'polling')),
  )
  return [
    {
      title: 'Event stream, WebSocket, polling',
      about: `One update of 100 B at a time to ${READERS.toLocaleString('en')} readers; all figures are per update and reader. Polling is at its best here: it asks exactly once for each update, on a connection that is kept open; every poll that finds nothing new would cost the same again.`,
      baseline: 'sse',
      columns: [
        column('alternatives.down', 'bytes down per update', 'B', outcomes, 'down'),
        column('alternatives.up', 'bytes up per update', 'B', outcomes, 'up'),
        column('alternatives.cpu', 'CPU of the server per update', 'µs', outcomes, 'cpu'),
      ],
    },
  ]
}

async function update(rig: Rig, polls: boolean): Promise<Figures> {
  const cost = await rig.measure(async () => {
    for (let update = 0; update < UPDATES; update++) {
      await rig.server.ask('publish', { bytes: 100, common: 1, turns: 1, within: 0, pause: 0 })
      if (polls) await rig.load.ask('say', { text: POLL })
      await arrival(rig, READERS)
    }
    return 0
  })
  const deliveries = UPDATES * READERS
  return { down: cost.taken.bytes / deliveries, up: polls ? POLL.length : 0, cpu: cost.cpu / deliveries }
}
