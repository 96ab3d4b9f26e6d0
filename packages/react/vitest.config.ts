import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import { project } from '../../vitest.base.ts'
import { reactCompiler } from './test/react-compiler.ts'

const settings = { environment: 'jsdom', setupFiles: ['./test/setup.ts'] }
const once = { typecheck: { enabled: false } }
/** React 18.3 with a Testing Library that sees the same React. */
const react18 = fileURLToPath(new URL('./test/react-18/node_modules/', import.meta.url))

export default project('react', {
  projects: [
    project('react-19', settings),
    project('react-18', {
      ...settings,
      ...once,
      alias: [{ find: /^(react|react-dom|@testing-library\/react)(?=\/|$)/, replacement: `${react18}$1` }],
    }),
    mergeConfig(project('react-19-compiler', { ...settings, ...once }), { plugins: [reactCompiler] }),
  ],
})
