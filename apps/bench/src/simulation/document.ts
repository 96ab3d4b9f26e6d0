import { chart } from './chart.ts'
import { figures, fleets, primary } from './paper.ts'
import { crowds, simulateStorms, storms } from './storms.ts'

/** What docs/scaling.md holds, by the names of its blocks, and the chart beside it. */
export interface Results {
  readonly blocks: Readonly<Record<string, string>>
  readonly chart: string
}

/** The options with which docs/scaling.md was made. */
export const DEFAULTS = { seed: 1, clients: 10_000, servers: 3 }

export async function results({ clients, seed, servers } = DEFAULTS): Promise<Results> {
  const simulated = await simulateStorms(clients, servers, seed)
  const blocks = {
    figures: figures(),
    fleets: fleets(),
    primary: primary(),
    storms: storms(simulated),
    crowds: await crowds(seed),
  }
  return { blocks, chart: chart(simulated) }
}

const block = (name: string): RegExp => new RegExp(`(?<=<!-- ${name} -->\\n)[^]*?(?=\\n<!-- end -->)`)

/** Puts blocks into a document, between `<!-- name -->` and `<!-- end -->`. */
export function fill(document: string, blocks: Results['blocks']): string {
  let filled = document
  for (const [name, text] of Object.entries(blocks)) {
    if (!block(name).test(filled)) throw new Error(`The document has no place for '${name}'.`)
    filled = filled.replace(block(name), () => `\n${text}\n`)
  }
  return filled
}
