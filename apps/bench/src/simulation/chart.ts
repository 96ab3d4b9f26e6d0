import type { Storms } from './storms.ts'

const WIDTH = 420
const HEIGHT = 170
const LEFT = 62
const TOP = 40
const GAP = 24
/** Seconds that are shown. */
const SPAN = 40

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600; font-size: 13px }
  .axis { stroke: #8886; stroke-width: 1 }
  polyline { fill: none; stroke-width: 2 } .yes { stroke: #1668dc } .no { stroke: #c4541c }
  text.yes { fill: #1668dc; stroke: none } text.no { fill: #c4541c; stroke: none }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .yes { stroke: #4d9bff } .no { stroke: #ff9a66 } text.yes { fill: #4d9bff } text.no { fill: #ff9a66 } }`

interface Panel {
  readonly title: string
  readonly ticks: readonly { readonly at: number; readonly label: string }[]
  /** Points by name of the line: seconds, and heights from 0 to 1. */
  readonly lines: Readonly<Record<'yes' | 'no', readonly (readonly [number, number])[]>>
}

/** What comes after all servers were killed: attempts, and readers who are back, with and without jitter. */
export function chart({ clients, rows, servers }: Storms): string {
  const killed = rows.filter(({ storm }) => storm.deploy === 'all killed')
  const lineOf = (
    jitter: boolean,
    points: (row: (typeof killed)[number]) => readonly (readonly [number, number])[],
  ): readonly (readonly [number, number])[] =>
    killed.filter(({ storm }) => storm.jitter === jitter).flatMap(points)
  const lines = (points: Parameters<typeof lineOf>[1]): Panel['lines'] => ({
    yes: lineOf(true, points),
    no: lineOf(false, points),
  })
  const decades = Math.ceil(Math.log10(Math.max(...killed.map(({ aftermath }) => aftermath.peak))))
  const panels: Panel[] = [
    {
      title: 'attempts a second, in tenths of a second',
      ticks: Array.from({ length: decades }, (_, index) => ({
        at: (index + 1) / decades,
        label: (10 ** (index + 1)).toLocaleString('en'),
      })),
      lines: lines(({ aftermath }) =>
        aftermath.attempts.map((rate, index) => [index / 10, Math.log10(Math.max(1, rate)) / decades]),
      ),
    },
    {
      title: 'readers who are back',
      ticks: [0.25, 0.5, 0.75, 1].map((at) => ({ at, label: `${at * 100} %` })),
      lines: lines(({ aftermath }) => aftermath.returns.map((back, index) => [index / 10, back / clients])),
    },
  ]
  const width = 2 * (LEFT + WIDTH + GAP)
  const label = `${clients.toLocaleString('en')} streams on ${servers} servers, all of which are killed`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${TOP + HEIGHT + 30}" role="img" aria-label="${label}">
<style>${STYLE}
</style>
${panels.map((panel, index) => `<g transform="translate(${index * (LEFT + WIDTH + GAP)} 0)">${draw(panel)}</g>`).join('\n')}
</svg>
`
}

function draw({ lines, ticks, title }: Panel): string {
  const y = (height: number): string => (TOP + HEIGHT * (1 - height)).toFixed(1)
  const x = (second: number): string => (LEFT + (WIDTH * second) / SPAN).toFixed(1)
  const drawn = (['no', 'yes'] as const).map((name) => {
    const points = lines[name].filter(([second]) => second <= SPAN)
    const path = points.map(([second, height]) => `${x(second)},${y(height)}`).join(' ')
    return `<polyline class="${name}" points="${path}"/>`
  })
  return [
    `<text class="title" x="${LEFT}" y="20">${title}</text>`,
    ...ticks.map(
      ({ at, label }) =>
        `<line class="axis" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y(at)}" y2="${y(at)}"/><text x="${LEFT - 6}" y="${y(at)}" dy="4" text-anchor="end">${label}</text>`,
    ),
    `<line class="axis" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y(0)}" y2="${y(0)}"/>`,
    ...[0, 10, 20, 30, 40].map(
      (second) =>
        `<text x="${x(second)}" y="${TOP + HEIGHT + 18}" text-anchor="middle">${second}${second === SPAN ? ' s' : ''}</text>`,
    ),
    ...drawn,
    `<text class="yes" x="${LEFT + WIDTH - 4}" y="20" text-anchor="end">jitter</text>`,
    `<text class="no" x="${LEFT + WIDTH - 44}" y="20" text-anchor="end">none</text>`,
  ].join('\n')
}
