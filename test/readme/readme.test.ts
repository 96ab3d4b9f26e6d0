import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import { type Snippet, snippets } from './snippets.ts'

const root = join(import.meta.dirname, '../..')
const documents = [
  'README.md',
  ...documentsIn('docs'),
  ...readdirSync(join(root, 'packages')).flatMap(packageDocument),
]

function documentsIn(folder: string): string[] {
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name))
}

function packageDocument(name: string): string[] {
  return documentsIn(join('packages', name)).filter((path) => path.endsWith('README.md'))
}

const snippetsIn = (document: string): Snippet[] => snippets(readFileSync(join(root, document), 'utf8'))

describe.each(documents.filter((name) => snippetsIn(name).length > 0))('%s', (document) => {
  const found = snippetsIn(document)
  const faults = compile(document, found)

  it.each(found)('has a snippet on line $line, $name, that compiles', (snippet) => {
    expect(faults.get(snippet)).toEqual([])
  })
})

describe('README.md', () => {
  const names = snippetsIn('README.md').map(({ name }) => name)

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
