import { describe, expect, it } from 'vitest'
import { announced, emptyTally, type Tally, tallyWords, ticked } from '../src/tally.ts'

const tick = (n: number, run = 'a') => ({ run, n, at: 0 })

const after = (...numbers: readonly number[]): Tally =>
  numbers.reduce((tally, n) => ticked(tally, tick(n)), emptyTally)

describe('the tally', () => {
  it.each([
    [[7, 8, 9], 'none missing, none twice'],
    [[7, 10, 11], '2 missing, unannounced, none twice'],
    [[7, 8, 8, 9], 'none missing, 1 twice'],
    [[7, 9, 8, 10], '1 missing, unannounced, 1 twice'],
    [[7, 8, 7, 8, 9], 'none missing, 2 twice'],
  ])('of the ticks %j is: %s', (numbers, words) => {
    expect(tallyWords(after(...numbers))).toBe(words)
    expect(after(...numbers).received).toBe(numbers.length)
  })

  it('says when what is missing was announced', () => {
    expect(tallyWords(ticked(announced(after(7, 8)), tick(11)))).toBe('2 missing, as announced, none twice')
  })

  it('goes on with a ticker that was started anew', () => {
    const tally = [tick(1, 'b'), tick(2, 'b')].reduce(ticked, after(7, 8))
    expect(tallyWords(tally)).toBe('none missing, none twice')
    expect(tallyWords(ticked(tally, tick(4, 'b')))).toBe('1 missing, unannounced, none twice')
  })
})
