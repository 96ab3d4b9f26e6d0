/** Rows as a Markdown table, figures aligned to the right. */
export function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 })

export const count = (value: number): string => whole.format(value)
/** A calculated figure, with two significant digits. */
export const rough = (value: number): string =>
  value >= 100 ? whole.format(Number(value.toPrecision(2))) : fine.format(value)
