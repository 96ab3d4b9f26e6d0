import type { DecodeRequests } from '../decode.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import { startWorker } from '../processes.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const PEERS = ['eventsource-parser', 'sse-protocol']

const STREAMS = [
  { id: '100', title: '100 B, chunks of 64 KiB', bytes: 100, chunk: 65_536 },
  { id: '1024', title: '1 KiB, chunks of 64 KiB', bytes: 1024, chunk: 65_536 },
  { id: 'cut', title: '1 KiB, chunks of 100 B', bytes: 1024, chunk: 100 },
]

/** From bytes to events, at the client. */
export async function decoding(plan: Plan): Promise<Section[]> {
  progress('decoding')
  const worker = startWorker<DecodeRequests>(new URL('../decode.ts', import.meta.url))
  const columns = []
  try {
    for (const { bytes, chunk, id, title } of STREAMS) {
      const outcomes = await takeTurns(chosen(plan, PEERS), (decoder) =>
        worker.ask('decode', { decoder, bytes, chunk }),
      )
      columns.push(column(`decode.${id}`, title, 'MB/s', outcomes, 'megabytesPerSecond'))
    }
  } finally {
    await worker.stop()
  }
  return [
    {
      title: 'Decoding',
      about: 'Megabytes per second, from bytes to events, in Node.',
      baseline: 'eventsource-parser',
      columns,
    },
  ]
}
