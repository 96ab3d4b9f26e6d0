import { defineConfig, mergeConfig } from 'vitest/config'
import { browserProject, origin } from '../../vitest.browser.base.ts'

export default mergeConfig(
  browserProject('client-browser'),
  defineConfig({
    // The same server as a part of the page's origin.
    server: { proxy: { '/server': { target: origin, rewrite: (path) => path.replace('/server', '') } } },
  }),
)
