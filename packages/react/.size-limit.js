/** What a page downloads, minified and compressed, with the client, the contract and the wire format, but without React. */
const bundle = (name, limit, code) => ({
  name,
  path: 'src/index.ts',
  import: code,
  limit,
  gzip: true,
  ignore: ['react'],
  modifyEsbuildConfig: (config) => ({ ...config, conditions: ['@sse/source'] }),
})

export default [bundle('useEventSource', '8.5 kB', '{ useEventSource }'), bundle('everything', '9.6 kB', '*')]
