/** What a page downloads, minified and compressed, with the contract's types and the wire format; unused parts shake out. */
const bundle = (name, limit, file) => ({ name, path: `.size/${file}.js`, limit, gzip: true })

export default [
  bundle('a source over fetch', '4.8 kB', 'source'),
  bundle('everything', '5.95 kB', 'everything'),
]
