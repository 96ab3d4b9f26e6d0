import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import { snippets } from './snippets.ts'

const root = join(import.meta.dirname, '../..')
const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')) : []
const documents = ['README.md', ...docs.map((name) => join('docs', name))].filter((name) =>
  name.endsWith('.md'),
)

describe.each(documents)('%s', (document) => {
  const found = snippets(readFileSync(join(root, document), 'utf8'))
  const faults = compile(document, found)

  it.each(found)('has a snippet on line $line, $name, that compiles', (snippet) => {
    expect(faults.get(snippet)).toEqual([])
  })
})

describe('README.md', () => {
  const names = snippets(readFileSync(join(root, 'README.md'), 'utf8')).map(({ name }) => name)

  it('shows both ends', () => {
    expect(names).toEqual(['events.ts', 'server.ts', 'App.tsx'])
  })
})

describe('a snippet', () => {
  it('that is wrong is found, with its line in the document', () => {
    const [snippet] = snippets(
      '# Title\n\n```ts\nimport { payload } from "@sse/contract"\npayload<Date>()\n```\n',
    )
    if (snippet === undefined) throw new Error('no snippet')
    expect(compile('wrong', [snippet]).get(snippet)).toEqual([expect.stringMatching(/^line 5: /)])
  })
})
