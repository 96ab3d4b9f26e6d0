import { ErrorReply } from 'redis'
import { describe, expect, it } from 'vitest'
import { refusal } from '../src/call-queue.ts'

describe('what Redis refuses', () => {
  it('as it is too old for the scripts says so', () => {
    const reply = new ErrorReply(
      "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
    )
    expect(refusal(reply)).toMatchObject({
      code: 'ERR_SSE_BROKER',
      message: expect.stringContaining('use Redis 7'),
      cause: reply,
    })
  })

  it('says what Redis says, where we know no better', () => {
    expect(refusal(new ErrorReply('MISCONF Errors writing to the AOF file'))).toMatchObject({
      message: 'Redis refused: MISCONF Errors writing to the AOF file',
    })
  })
})
