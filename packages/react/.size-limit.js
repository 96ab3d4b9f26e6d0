/** What a page downloads, minified and compressed, with the client and the wire format, but without React. */
const bundle = (name, limit, file) => ({ name, path: `.size/${file}.js`, limit, gzip: true })

export default [bundle('useEventSource', '6.3 kB', 'hook'), bundle('everything', '7.75 kB', 'everything')]
