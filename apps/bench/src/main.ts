import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { alternatives } from './cases/alternatives.ts'
import { connections } from './cases/connections.ts'
import { decoding } from './cases/decoding.ts'
import { fanOut } from './cases/fan-out.ts'
import { latency } from './cases/latency.ts'
import { manyChannels } from './cases/many-channels.ts'
import { page } from './cases/page.ts'
import { redis } from './cases/redis.ts'
import { resume } from './cases/resume.ts'
import { servers } from './cases/servers.ts'
import { stalled } from './cases/stalled.ts'
import { chart } from './chart.ts'
import { machine } from './machine.ts'
import type { Plan } from './plan.ts'
import { progress } from './plan.ts'
import type { Section } from './section.ts'
import { table } from './table.ts'
import { targets } from './targets.ts'

const CASES: Readonly<Record<string, (plan: Plan) => Promise<Section[]>>> = {
  'fan-out': fanOut,
  latency,
  connections,
  resume,
  stalled,
  channels: manyChannels,
  servers,
  redis,
  alternatives,
  decoding,
  page,
}

/** The cases that a quick run has time for. */
const MAIN = ['fan-out', 'latency', 'connections', 'resume', 'stalled']

const USAGE = `pnpm bench [options]

  --quick          only ${MAIN.join(', ')}, in one round, with the peers that targets name
  --rounds <n>     rounds for the peers that targets name; the median counts (default 3, with --quick 1)
  --cases <names>  only these, separated by commas: ${Object.keys(CASES).join(', ')}
  --peers <names>  only these peers, separated by commas

A run without --quick, --cases and --peers writes RESULTS.md and results.svg; any other is only printed.
`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    cases: { type: 'string' },
    peers: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const list = (names: string | undefined): readonly string[] => names?.split(',') ?? []

async function run(): Promise<void> {
  const { quick } = values
  const plan: Plan = { quick, rounds: Number(values.rounds ?? (quick ? 1 : 3)), only: list(values.peers) }
  const asked = list(values.cases)
  const unknown = asked.find((name) => CASES[name] === undefined)
  if (unknown !== undefined) throw new Error(`There is no case '${unknown}'.`)
  const wanted = asked.length === 0 && quick ? MAIN : asked
  const before = loadavg()
  const started = performance.now()
  const sections: Section[] = []
  const cases = Object.entries(CASES).filter(([name]) => wanted.length === 0 || wanted.includes(name))
  const text = (): string => {
    const minutes = ((performance.now() - started) / 60_000).toFixed(1)
    return `${[
      '# Results',
      `Written by \`pnpm bench\` in ${minutes} minutes. The figures are medians of several rounds, in each of which the peers take turns; most peers that no target names are measured in one round only. Each server runs in a process of its own, whose CPU time is what counts; the load runs in another. Both share the machine, so trust the ratios more than the absolute figures. \`src/peers\` shows how each peer is used.`,
      '![@sse/express beside its peers](results.svg)',
      machine(before),
      targets(sections),
      ...sections.map(table),
    ].join('\n\n')}\n`
  }
  // The results of a partial run could be taken for all of them.
  const kept = !quick && wanted.length === 0 && plan.only.length === 0
  for (const [name, measure] of cases) {
    try {
      sections.push(...(await measure(plan)))
    } catch (error) {
      progress(`${name} failed: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (!kept) continue
    writeFileSync(new URL('../RESULTS.md', import.meta.url), text())
    writeFileSync(new URL('../results.svg', import.meta.url), chart(sections))
  }
  process.stdout.write(text())
}

if (values.help) process.stdout.write(USAGE)
else await run()
