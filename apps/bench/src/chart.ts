import { figure } from './figure.ts'
import { type Column, isFailure, OURS, type Section } from './section.ts'

/** What the chart shows, by the ids of columns. */
const SHOWN = [
  { id: 'fan-out.1000.100.1.cpu', title: '1 event per turn, back to back, to 1,000: CPU' },
  { id: 'fan-out.1000.100.10.cpu', title: '10 events per turn, back to back, to 1,000: CPU' },
  { id: 'latency.p99', title: '20 events/s of 1 KiB to 1,000: p99' },
  { id: 'open-loop.1000.rate', title: '1,000 events/s to 1,000: delivered' },
  { id: 'resume.fifty.ms', title: '50 readers resume 10,000 events' },
  { id: 'memory.most', title: 'An idle connection: memory' },
  { id: 'servers.p99', title: 'Three servers, 180 publishes/s: p99' },
  { id: 'servers.rate', title: 'Three servers: publishes' },
]

const WIDTH = 460
const ROW = 20
const LABEL = 110
const BAR = 250
const TOP = 40
const ROWS = 10
const HEIGHT = TOP + ROWS * ROW + 24

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600; font-size: 13px }
  .ours { font-weight: 600 }
  .bar { fill: #b8bec8 } .bar.ours { fill: #1668dc }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .bar { fill: #5a6270 } .bar.ours { fill: #4d9bff } }`

/** The main figures as bars, in SVG: linear, and each panel on its own scale. */
export function chart(sections: readonly Section[]): string {
  const columns = new Map(sections.flatMap(({ columns }) => columns.map((column) => [column.id, column])))
  const panels = SHOWN.flatMap(({ id, title }) => {
    const column = columns.get(id)
    return column === undefined ? [] : [{ title, column }]
  })
  const height = Math.ceil(panels.length / 2) * HEIGHT
  const drawn = panels.map(
    ({ column, title }, index) =>
      `<g transform="translate(${(index % 2) * (WIDTH + 20)} ${Math.floor(index / 2) * HEIGHT})">${panel(title, column)}</g>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH + 20} ${height}" role="img" aria-label="@sse/express beside its peers">
<style>${STYLE}
</style>
${drawn.join('\n')}
</svg>
`
}

function panel(title: string, { unit, values }: Column): string {
  const bars = [...values].flatMap(([peer, value]) =>
    isFailure(value) || Number.isNaN(value) ? [] : [{ peer, value }],
  )
  const most = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ peer, value }, index) => {
    const y = TOP + index * ROW
    const ours = OURS.has(peer) ? ' ours' : ''
    const width = Math.max(1, (value / most) * BAR).toFixed(1)
    return [
      `<text class="${ours}" x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${OURS.get(peer) ?? peer}</text>`,
      `<rect class="bar${ours}" x="${LABEL}" y="${y}" width="${width}" height="15" rx="2"/>`,
      `<text class="${ours}" x="${LABEL + Number(width) + 6}" y="${y + 12}">${figure(value)} ${unit}</text>`,
    ].join('')
  })
  return `<text class="title" x="${LABEL}" y="22">${title}</text>${rows.join('\n')}`
}
