import { describe, expect, it } from 'vitest'
import { Census } from '../src/census.ts'

/** Some processes that hear each other, and how many readers each has. */
function processes(...readers: Record<string, number>[]) {
  const all = readers.map((own) => ({ own, alive: true, census: new Census((name) => own[name] ?? 0) }))
  let said = 0
  const round = (times = 1): void => {
    for (let n = 0; n < times; n++) {
      for (const [index, { alive, census }] of all.entries()) {
        const report = alive ? census.next() : undefined
        if (report === undefined) continue
        said += 1
        for (const other of all) if (other.census !== census) other.census.hear(String(index), report)
      }
    }
  }
  return {
    all,
    round,
    /** How many reports there were since the last call. */
    said(): number {
      const count = said
      said = 0
      return count
    },
    seenBy: (index: number, channel = 'a') => all[index]?.census.elsewhere(channel),
  }
}

describe('a census', () => {
  it('is silent where nobody asks', () => {
    const { all, round, said } = processes({ a: 1 }, { a: 2 })
    round(100)
    expect(said()).toBe(0)
    expect(all.some(({ census }) => census.wanted)).toBe(false)
  })

  it('counts the readers of all others within two rounds of the first look', () => {
    const { round, seenBy } = processes({ a: 1 }, { a: 2, b: 7 }, { a: 3 })
    expect(seenBy(0)).toBe(0)
    round(2)
    expect(seenBy(0)).toBe(5)
    expect(seenBy(1)).toBe(0 + 1 + 3)
  })

  it('follows what changes, down to nobody', () => {
    const { all, round, seenBy } = processes({}, { a: 2 }, { a: 3 })
    seenBy(0)
    round(2)
    for (const count of [4, 1, 0]) {
      for (const { own } of all.slice(1)) own.a = count
      round()
      expect(seenBy(0)).toBe(2 * count)
    }
  })

  it('forgets a process that says nothing more', () => {
    const { all, round, seenBy } = processes({}, { a: 2 }, { a: 3 })
    seenBy(0)
    round(2)
    Object.assign(all[1] ?? {}, { alive: false })
    for (let n = 0; n < 12; n++) {
      seenBy(0)
      round()
    }
    expect(seenBy(0)).toBe(3)
  })

  it('takes in who comes later', () => {
    const { all, round, seenBy } = processes({}, { a: 2 })
    Object.assign(all[0] ?? {}, { alive: false })
    seenBy(1)
    round(50)
    Object.assign(all[0] ?? {}, { alive: true })
    seenBy(0)
    round(4)
    expect(seenBy(0)).toBe(2)
  })

  it('goes on for as long as somebody looks, and no longer', () => {
    const { all, round, said, seenBy } = processes({}, { a: 2 })
    for (let n = 0; n < 300; n++) {
      seenBy(0)
      round()
    }
    expect(seenBy(0)).toBe(2)
    round(200)
    said()
    round(100)
    expect(said()).toBe(0)
    expect(all.some(({ census }) => census.wanted)).toBe(false)
  })

  it('repeats what was said for who has not heard it, in few words', () => {
    const { round, said, seenBy } = processes({}, { a: 2 })
    seenBy(0)
    round(2)
    said()
    round(30)
    expect(said()).toBe(10)
  })

  it('takes leave where somebody counts on it', () => {
    const { all, round, seenBy } = processes({}, { a: 2 })
    expect(all[1]?.census.leave()).toBeUndefined()
    seenBy(0)
    round(2)
    const farewell = all[1]?.census.leave()
    expect(farewell).toBeDefined()
    all[0]?.census.hear('1', farewell ?? {})
    expect(seenBy(0)).toBe(0)
  })
})
