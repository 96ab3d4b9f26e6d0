/** What a page downloads, minified and compressed, with the contract and the wire format; unused parts shake out. */
const bundle = (name, limit, code, path = 'src/index.ts') => ({
  name,
  path,
  import: code,
  limit,
  gzip: true,
  modifyEsbuildConfig: (config) => ({ ...config, conditions: ['@sse/source'] }),
})

export default [
  bundle('a source over fetch', '7.05 kB', '{ createEventSource }'),
  bundle('everything', '7.9 kB', '*'),
]
