/** What the sources of each package may import: packages of the workspace, and patterns of anything else. */
const boundaries = {
  contract: { packages: [], others: ['/@standard-schema/spec/'] },
  protocol: { packages: [], others: [] },
  express: { packages: ['contract', 'protocol'], others: [], node: true },
  redis: { packages: ['express'], others: ['/node_modules/redis/'], node: true },
  client: { packages: ['contract', 'protocol'], others: [] },
  react: { packages: ['client'], others: ['/node_modules/(@types/)?react/'] },
}

const publicName = (name) => `^packages/${name}/src/(testing/)?index\\.ts$`

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Imports point one way. Two types may refer to each other: such an import is erased.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...Object.entries(boundaries).map(([name, { packages, others, node = false }]) => ({
      name: `boundary-of-${name}`,
      comment: `@sse/${name} may import only what CONTRIBUTING.md says.`,
      severity: 'error',
      from: { path: `^packages/${name}/src/` },
      to: {
        pathNot: [`^packages/${name}/src/`, ...packages.map(publicName), ...others],
        ...(node ? { dependencyTypesNot: ['core'] } : {}),
      },
    })),
    {
      name: 'types-only-of-standard-schema',
      comment: 'The specification has types and nothing else.',
      severity: 'error',
      from: { path: '^packages/contract/src/' },
      to: { path: '/@standard-schema/spec/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'packages-by-their-name',
      comment: "No package reaches into another one's files.",
      severity: 'error',
      from: { path: '^((?:packages|apps)/[^/]+)/' },
      to: {
        path: '^(packages|apps)/',
        pathNot: ['^$1/', '^packages/[^/]+/src/((testing/)?index|broker-suite)\\.ts$'],
      },
    },
    {
      name: 'packages-not-by-their-path',
      comment: "A package is imported as '@sse/name', not by a relative path.",
      severity: 'error',
      from: { path: '^((?:packages|apps)/[^/]+)/' },
      to: { path: '^(packages|apps)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'sources-without-tests',
      severity: 'error',
      from: { pathNot: '/test/|\\.test(-d)?\\.tsx?$' },
      to: { path: '/test/|\\.test(-d)?\\.tsx?$', pathNot: 'node_modules' },
    },
    {
      name: 'sources-without-testing',
      comment: 'What a package offers to the tests of others is no part of it.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: '/src/testing/' },
      to: { path: '^packages/[^/]+/src/testing/' },
    },
    {
      name: 'packages-without-apps',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps)/[^/]+/(dist|\\.turbo)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@sse/source', 'types', 'import', 'node', 'default'],
      mainFields: ['types', 'module', 'main'],
    },
  },
}
