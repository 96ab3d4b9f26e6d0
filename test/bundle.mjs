// Bundles exports of the package in the working directory as a page downloads them: by Vite, for production, with the
// client, the contract and the wire format but without React. `node test/bundle.mjs <name>=<exports> …` writes
// `.size/<name>.js` for each.
import { join } from 'node:path'
import { build } from 'vite'

const entry = 'virtual:entry'

for (const argument of process.argv.slice(2)) {
  const [name, exports] = argument.split('=')
  const what = exports === '*' ? '*' : `{ ${exports} }`
  await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@sse/source', 'module', 'browser', 'production'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) =>
          id === entry ? `export ${what} from ${JSON.stringify(join(process.cwd(), 'src/index.ts'))}` : null,
      },
    ],
    build: {
      outDir: '.size',
      emptyOutDir: false,
      modulePreload: false,
      target: 'es2022',
      rollupOptions: {
        input: entry,
        external: [/^react($|\/)/],
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: `${name}.js` },
      },
    },
  })
}
