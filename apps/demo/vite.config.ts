import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // The packages' sources instead of their builds, so that an edit in one of them shows at once.
  resolve: { conditions: ['@sse/source', ...defaultClientConditions] },
})
