import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const project = fileURLToPath(new URL('registered/tsconfig.json', import.meta.url))

describe('a registered contract', () => {
  // A project of its own, since what is registered holds for all of a program.
  it('types res.sse: wrong names and payloads do not compile', { timeout: 60_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', project])
    expect(stdout).toBe('')
  })
})
