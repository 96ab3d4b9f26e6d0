/** The seeds to run: those of `SSE_PROMISE_SEEDS`, such as `7`, `7,12` or `100-199`; else the given ones. */
export function seeds(usual: readonly number[]): readonly number[] {
  const asked = process.env.SSE_PROMISE_SEEDS
  if (asked === undefined) return usual
  return asked.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    if (!(first <= last))
      throw new TypeError(`SSE_PROMISE_SEEDS must be like 7, 7,12 or 100-199, not ${asked}.`)
    return Array.from({ length: last - first + 1 }, (_, n) => first + n)
  })
}
