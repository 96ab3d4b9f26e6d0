import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { command } from './command.ts'

/** What somebody has who uses the packages: current and former majors beside each other. */
const dependencies = {
  '@types/express': '^5.0.0',
  '@types/node': '^20.19.0',
  '@types/react': '^19.0.0',
  express: '^5.1.0',
  express4: 'npm:express@^4.21.0',
  react: '^19.0.0',
  typescript: '~6.0.3',
}

let project: string

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'sse-consumer-'))
  await cp(join(import.meta.dirname, 'consumer'), project, { recursive: true })
  const tarballs = Object.entries(inject('tarballs')).map(([name, path]) => [name, `file:${path}`])
  const manifest = { private: true, dependencies: { ...dependencies, ...Object.fromEntries(tarballs) } }
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest, null, 2))
  const { code, output } = await command(
    project,
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  )
  expect(code, output).toBe(0)
})

afterAll(() => rm(project, { recursive: true, force: true }))

describe('a project outside of the workspace', () => {
  const entries = inject('entries').filter((name) => !name.endsWith('.json'))

  it.each(entries)('can import and require() %s', async (name) => {
    const script = `
      const imported = Object.keys(await import('${name}')).filter((key) => key !== 'module.exports')
      const required = Object.keys(createRequire(import.meta.url)('${name}'))
      assert.deepEqual(required, imported)
      assert.notDeepEqual(imported, [])`
    const imports = `import assert from 'node:assert/strict'; import { createRequire } from 'node:module';`
    const { code, output } = await command(project, 'node', '--input-type=module', '-e', imports + script)
    expect({ code, output }).toEqual({ code: 0, output: '' })
  })

  it.each([
    ['Express 5', 'import', 'stream.mjs', 'express'],
    ['Express 4', 'import', 'stream.mjs', 'express4'],
    ['Express 5', 'require()', 'stream.cjs', 'express'],
    ['Express 4', 'require()', 'stream.cjs', 'express4'],
  ])('runs a stream from %s to the client in Node, by %s', async (_, __, script, express) => {
    const { code, output } = await command(project, 'node', script, express)
    expect({ code, output }).toEqual({ code: 0, output: 'headline {"title":"Hello"}\nclosed\n' })
  })

  it.each(['nodenext', 'bundler'])(
    'compiles with module resolution %s, libraries checked',
    async (resolution) => {
      const { code, output } = await command(
        project,
        'node',
        'node_modules/typescript/bin/tsc',
        '-p',
        `tsconfig.${resolution}.json`,
      )
      expect({ code, output }).toEqual({ code: 0, output: '' })
    },
  )
})
