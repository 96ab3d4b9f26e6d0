import { fileURLToPath } from 'node:url'
import { transformAsync } from '@babel/core'
import reactCompilerPlugin from 'babel-plugin-react-compiler'
import { configDefaults, mergeConfig } from 'vitest/config'
import { project } from '../../vitest.base.ts'

const exclude = [...configDefaults.exclude, 'test/browser/**', 'test/fast-refresh/**', 'test/native/**']
const settings = {
  environment: 'jsdom',
  setupFiles: ['./test/setup.ts'],
  exclude,
  isolate: false, // a page for each worker, not for each file: most of the time went into those
  testTimeout: 20_000, // real servers and real backoff, on a machine that may be busy
}
const once = { typecheck: { enabled: false } }
/** React 18.3 with a Testing Library that sees the same React. */
const react18 = fileURLToPath(new URL('./test/react-18/node_modules/', import.meta.url))

/** Compiles the components of the tests with React Compiler, as apps that use it are. */
const reactCompiler = {
  name: 'react-compiler',
  enforce: 'pre' as const,
  async transform(code: string, id: string) {
    if (!/\/test\/[^?]*\.tsx$/.test(id)) return
    const compiled = await transformAsync(code, {
      filename: id,
      babelrc: false,
      configFile: false,
      sourceMaps: true,
      parserOpts: { plugins: ['typescript', 'jsx'] },
      plugins: [[reactCompilerPlugin, { panicThreshold: 'all_errors' }]],
    })
    if (!compiled?.code) return
    return { code: compiled.code, map: compiled.map }
  },
}

export default project('react', {
  projects: [
    project('react-19', settings),
    project('react-18', {
      ...settings,
      ...once,
      // What React 18 does not have, and recipes, whose libraries know one React.
      exclude: [...exclude, 'test/activity.test.tsx', 'test/recipes/**'],
      alias: [{ find: /^(react|react-dom|@testing-library\/react)(?=\/|$)/, replacement: `${react18}$1` }],
    }),
    project('react-native', {
      ...once,
      include: ['test/native/*.test.{ts,tsx}'],
      setupFiles: ['./test/native/setup.ts'],
      testTimeout: 20_000,
    }),
    mergeConfig(project('react-19-compiler', { ...settings, ...once }), { plugins: [reactCompiler] }),
  ],
})
