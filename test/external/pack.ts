import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { command } from './command.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The tarball of each public package, by the package's name. */
    tarballs: Record<string, string>
    /** Every name that the packages can be imported by. */
    entries: string[]
  }
}

/** Packs every public package as it would be published. They are built already: the task `test:packed` depends on it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const packages = join(import.meta.dirname, '../../packages')
  const target = await mkdtemp(join(tmpdir(), 'sse-tarballs-'))
  const tarballs: Record<string, string> = {}
  const entries: string[] = []
  for (const folder of await readdir(packages)) {
    const cwd = join(packages, folder)
    const manifest = JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8'))
    if (manifest.private) continue
    const { code, output } = await command(cwd, 'pnpm', 'pack', '--pack-destination', target)
    if (code !== 0) throw new Error(`${manifest.name} cannot be packed: ${output}`)
    entries.push(...Object.keys(manifest.exports).map((path) => manifest.name + path.slice(1)))
    tarballs[manifest.name] = join(
      target,
      `${manifest.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`,
    )
  }
  project.provide('tarballs', tarballs)
  project.provide('entries', entries)
  return () => rm(target, { recursive: true, force: true })
}
