import { figure } from './figure.ts'
import { type Column, isFailure, OURS, type Section } from './section.ts'

/** A section as Markdown: peers in rows, ratios to the baseline first. */
export function table({ about, baseline, columns, remarks = [], title }: Section): string {
  const peers = [...new Set(columns.flatMap(({ values }) => [...values.keys()]))]
  const head = ['peer', ...columns.map(({ title, unit }) => `${title} [${unit}]`)]
  const failures = new Map<string, string>()
  const rows = peers.map((peer) => [
    OURS.has(peer) ? `**${OURS.get(peer)}**` : peer,
    ...columns.map((column) => cell(column, peer, baseline, failures)),
  ])
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...rows]
  const failed = [...failures].map(([peer, reason]) => `${peer} failed: ${reason}.`)
  const notes = [...remarks, ...failed].map((note) => `- ${note}`)
  return [
    `## ${title}`,
    `${about} Ratios are to \`${baseline}\`.`,
    lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ...(notes.length > 0 ? [notes.join('\n')] : []),
  ].join('\n\n')
}

function cell(
  { unit, values }: Column,
  peer: string,
  baseline: string,
  failures: Map<string, string>,
): string {
  const value = values.get(peer)
  if (value === undefined || Number.isNaN(value)) return '—'
  if (isFailure(value)) {
    failures.set(peer, value.reason)
    return 'failed'
  }
  const base = values.get(baseline)
  if (unit === '×' || base === undefined || isFailure(base)) return figure(value)
  return `**${figure(value / base)}×** ${figure(value)}`
}
