import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as contract from '@sse/contract'
import * as protocol from '@sse/protocol'
import ts from 'typescript'
import type { Library } from './world.ts'

/** A fault that somebody might put into the package: in one file, some text for another. */
export interface Mutation {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly becomes: string
}

const SOURCES = new URL('../../src/', import.meta.url)

const builtin = createRequire(import.meta.url)

/** What the sources import from elsewhere. */
const elsewhere: Readonly<Record<string, unknown>> = { '@sse/contract': contract, '@sse/protocol': protocol }

/**
 * The package with a fault in it, loaded from its sources beside the real one.
 *
 * @throws Error if the text is not there exactly once: the sources have moved on, and the mutation with them
 */
export function loadMutant({ becomes, file, text }: Mutation): Library {
  const modules = new Map<string, Record<string, unknown>>()
  function load(name: string): Record<string, unknown> {
    const known = modules.get(name)
    if (known !== undefined) return known
    const exports: Record<string, unknown> = {}
    modules.set(name, exports)
    let source = readFileSync(new URL(name, SOURCES), 'utf8')
    if (name === file) {
      if (source.split(text).length !== 2) throw new Error(`${file} does not have exactly once: ${text}`)
      source = source.replace(text, () => becomes)
    }
    const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 }
    const { outputText } = ts.transpileModule(source, { compilerOptions: options })
    const require = (from: string): unknown =>
      from.startsWith('./') ? load(from.replace('./', '')) : (elsewhere[from] ?? builtin(from))
    new Function('require', 'exports', outputText)(require, exports)
    return exports
  }
  const { memoryBroker, sse } = { ...load('memory-broker.ts'), ...load('sse.ts') }
  return { memoryBroker, sse } as Library
}
