import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ResolutionContext, resolve } from 'metro-resolver'
import { describe, expect, it } from 'vitest'

const packages = join(import.meta.dirname, '../../..')

/** What is in a `dist` comes from the `src` beside it, built or not. */
const sourceOf = (path: string) => path.replace('/dist/', '/src/').replace(/\.js$/, '.ts')

function lookUp(path: string): ReturnType<ResolutionContext['fileSystemLookup']> {
  const stats = statSync(sourceOf(path), { throwIfNoEntry: false })
  return stats === undefined
    ? { exists: false }
    : { exists: true, type: stats.isFile() ? 'f' : 'd', realPath: path }
}

const readPackage = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** As Metro resolves in an app of its defaults. */
function resolveAsMetro(name: string, platform: string, isESMImport: boolean): string {
  const rootPath = join(packages, name.split('/')[1] ?? '')
  const context: ResolutionContext = {
    originModulePath: '/app/App.js',
    extraNodeModules: { [name.split('/').slice(0, 2).join('/')]: rootPath },
    nodeModulesPaths: [],
    disableHierarchicalLookup: true,
    isESMImport,
    dev: true,
    assetExts: new Set(['png']),
    sourceExts: ['js', 'jsx', 'json', 'ts', 'tsx'],
    mainFields: ['react-native', 'browser', 'main'],
    unstable_enablePackageExports: true,
    unstable_conditionNames: ['react-native'],
    unstable_conditionsByPlatform: { web: ['browser'] },
    unstable_incrementalResolution: false,
    unstable_logWarning: (message) => expect.unreachable(message),
    allowHaste: false,
    customResolverOptions: {},
    preferNativePlatform: true,
    resolveRequest: null,
    resolveAsset: () => null,
    resolveHasteModule: () => null,
    resolveHastePackage: () => null,
    redirectModulePath: (path) => path,
    doesFileExist: (path) => lookUp(path).exists,
    fileSystemLookup: lookUp,
    getPackage: readPackage,
    getPackageForModule: (path) => ({
      rootPath,
      packageJson: readPackage(join(rootPath, 'package.json')),
      packageRelativePath: path.slice(rootPath.length + 1),
    }),
  }
  const resolution = resolve(context, name, platform)
  return resolution.type === 'sourceFile' ? resolution.filePath.slice(dirname(packages).length + 1) : ''
}

describe.each(['ios', 'android'])('Metro, for %s', (platform) => {
  it.each([
    ['@sse/react', 'packages/react/dist/index.js'],
    ['@sse/react/testing', 'packages/react/dist/testing/index.js'],
    ['@sse/client', 'packages/client/dist/index.js'],
    ['@sse/contract', 'packages/contract/dist/index.js'],
    ['@sse/protocol', 'packages/protocol/dist/index.js'],
  ])('finds %s, imported or required', (name, path) => {
    expect(resolveAsMetro(name, platform, true)).toBe(path)
    expect(resolveAsMetro(name, platform, false)).toBe(path)
  })
})
