import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as client from '@sse/client'
import { expect, it } from 'vitest'
import * as react from '../src/index.ts'

it('has everything of the client, so that apps need one package', () => {
  expect(react).toMatchObject(client)
})

it('is a client module for frameworks with server components', () => {
  expect(readFileSync(join(import.meta.dirname, '../src/index.ts'), 'utf8')).toMatch(/^'use client'\n/)
})
