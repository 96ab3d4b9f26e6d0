/** A figure for a reader: no decimals from 100, one from 10, else two. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value)) return '—'
  if (size >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(size >= 10 ? 1 : 2)
}
