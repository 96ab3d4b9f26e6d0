/** Rows as a table in Markdown, figures to the right. */
export function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 })

/** A figure of a calculation: no more digits than it is worth. */
export const count = (value: number): string => whole.format(value)
export const rough = (value: number): string =>
  value >= 100 ? whole.format(Number(value.toPrecision(2))) : fine.format(value)
