import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { DEFAULTS, fill, results } from './document.ts'

const USAGE = `pnpm --filter @sse/bench simulate [options]

  --seed <n>     of chance (${DEFAULTS.seed}): the same seed gives the same figures
  --clients <n>  of the fleet whose deploys are simulated (${DEFAULTS.clients.toLocaleString('en')})
  --servers <n>  of that fleet (${DEFAULTS.servers})
  --write        puts the tables and the chart into docs/scaling.md
`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(DEFAULTS.seed) },
    clients: { type: 'string', default: String(DEFAULTS.clients) },
    servers: { type: 'string', default: String(DEFAULTS.servers) },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function run(): Promise<void> {
  const { clients, seed, servers } = values
  const { blocks, chart } = await results({
    seed: Number(seed),
    clients: Number(clients),
    servers: Number(servers),
  })
  process.stdout.write(`${Object.values(blocks).join('\n\n')}\n`)
  if (!values.write) return
  const docs = new URL('../../../../docs/', import.meta.url)
  const document = new URL('scaling.md', docs)
  writeFileSync(document, fill(readFileSync(document, 'utf8'), blocks))
  writeFileSync(new URL('scaling.svg', docs), chart)
}

if (values.help) process.stdout.write(USAGE)
else await run()
