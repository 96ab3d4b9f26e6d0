import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Snippet } from './snippets.ts'

const here = dirname(fileURLToPath(import.meta.url))

/** Type-checks the snippets of one document together, beside this file, and against the sources of the workspace. */
export function compile(document: string, snippets: readonly Snippet[]): Map<Snippet, string[]> {
  const folder = join(here, `${document.replaceAll(/[^\w]/g, '-')}.virtual`)
  const files = new Map(snippets.map((snippet) => [join(folder, snippet.name), snippet]))
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const program = ts.createProgram([...files.keys()], options, {
    ...host,
    fileExists: (path) => files.has(resolve(path)) || host.fileExists(path),
    readFile: (path) => files.get(resolve(path))?.code ?? host.readFile(path),
    directoryExists: (path) => resolve(path) === folder || (host.directoryExists?.(path) ?? true),
    getSourceFile: (path, target, ...rest) => {
      const code = files.get(resolve(path))?.code
      return code === undefined
        ? host.getSourceFile(path, target, ...rest)
        : ts.createSourceFile(path, code, target, true)
    },
  })
  return new Map(
    [...files].map(([path, snippet]) => {
      const source = program.getSourceFile(path)
      const diagnostics = ts.getPreEmitDiagnostics(program, source)
      return [snippet, diagnostics.map((diagnostic) => describe(diagnostic, snippet))]
    }),
  )
}

function compilerOptions(): ts.CompilerOptions {
  const base = join(here, '../../tsconfig.base.json')
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(base, ts.sys.readFile).config,
    ts.sys,
    here,
  )
  return {
    ...options,
    jsx: ts.JsxEmit.ReactJSX,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: ['node'],
  }
}

function describe({ file, start = 0, messageText }: ts.Diagnostic, snippet: Snippet): string {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line
  return `line ${snippet.line + line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}
