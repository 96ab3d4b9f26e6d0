import { fileURLToPath } from 'node:url'
import { project } from '../../vitest.base.ts'

const environment = 'jsdom'
const setupFiles = ['./test/setup.ts']
/** React 18.3 with a Testing Library that sees the same React. */
const react18 = fileURLToPath(new URL('./test/react-18/node_modules/', import.meta.url))

export default project('react', {
  projects: [
    project('react-19', { environment, setupFiles }),
    project('react-18', {
      environment,
      setupFiles,
      typecheck: { enabled: false },
      alias: [{ find: /^(react|react-dom|@testing-library\/react)(?=\/|$)/, replacement: `${react18}$1` }],
    }),
  ],
})
