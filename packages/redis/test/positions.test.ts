import { describe, expect, it } from 'vitest'
import { Positions } from '../src/positions.ts'

describe('what is known of the log', () => {
  it('is the highest position of each run', () => {
    const known = new Positions()
    known.add({ epoch: 'e1', run: 'r1', g: 5 })
    known.add({ epoch: 'e1', run: 'r2', g: 9 })
    known.add({ epoch: 'e1', run: 'r1', g: 7 })
    known.add({ epoch: 'e1', run: 'r1', g: 6 })
    expect(known.epoch).toBe('e1')
    expect(String(known)).toBe('r1:7 r2:9')
  })

  it('is of the newest epoch', () => {
    const known = new Positions()
    known.add({ epoch: 'e2', run: 'r1', g: 5 })
    known.add({ epoch: 'e1', run: 'r1', g: 9 })
    expect(String(known)).toBe('r1:5')
    known.add({ epoch: 'e3', run: 'r2', g: 0 })
    expect(known.epoch).toBe('e3')
    expect(String(known)).toBe('r2:0')
  })

  it('shrinks to who has answered, but for what was heard meanwhile', () => {
    const known = new Positions()
    known.add({ epoch: 'e1', run: 'r1', g: 5 })
    known.add({ epoch: 'e1', run: 'r2', g: 6 })
    const sent = String(known)
    known.add({ epoch: 'e1', run: 'r2', g: 7 })
    known.confirm({ epoch: 'e1', run: 'r3', g: 8 }, 'e1', sent)
    expect(String(known)).toBe('r2:7 r3:8')
  })

  it('is not confirmed by another epoch', () => {
    const known = new Positions()
    known.add({ epoch: 'e1', run: 'r1', g: 5 })
    const sent = String(known)
    known.add({ epoch: 'e2', run: 'r1', g: 5 })
    known.confirm({ epoch: 'e1', run: 'r2', g: 5 }, 'e1', sent)
    expect(String(known)).toBe('r1:5')
  })
})
