import { readFile } from 'node:fs/promises'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { describe, expect, inject, it } from 'vitest'
import { command } from './command.ts'

describe.each(Object.entries(inject('tarballs')))('the tarball of %s', (_, tarball) => {
  it('has a package.json that every tool understands (publint)', async () => {
    const file = await readFile(tarball)
    const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength)
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it('has types that resolve wherever ESM does (attw)', async () => {
    const { code, output } = await command(import.meta.dirname, 'attw', tarball, '--profile', 'esm-only')
    expect(code, output).toBe(0)
  })
})
