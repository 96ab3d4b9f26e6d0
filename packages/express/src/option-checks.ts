/** The longest delay of a timer, in milliseconds. */
export const MAX_DELAY: number = 2 ** 31 - 1

/** Throws for an unknown name, mostly a typo. */
export function checkNames(path: string, options: object, known: object): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    throw new TypeError(`There is no option ${path}${name}: there are ${Object.keys(known).join(', ')}.`)
  }
}

export function milliseconds(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 10 && value <= MAX_DELAY) return value
  throw new TypeError(
    `${name} must be a number of milliseconds from 10 to ${MAX_DELAY}, got ${String(value)}.`,
  )
}

export function number(name: string, value: number, least: number): number {
  if (typeof value === 'number' && value >= least) return value
  throw new TypeError(`${name} must be a number of at least ${least}, got ${String(value)}.`)
}
