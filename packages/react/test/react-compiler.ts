import { transformAsync } from '@babel/core'

/** Compiles the components of the tests with React Compiler, as apps that use it are. */
export const reactCompiler = {
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
      plugins: [['babel-plugin-react-compiler', { panicThreshold: 'all_errors' }]],
    })
    if (!compiled?.code) return
    return { code: compiled.code, map: compiled.map }
  },
}
