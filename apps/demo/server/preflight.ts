import { chosenPort, tryPort } from './port.ts'

// The watcher that comes next would wait for an edit instead of ending with the server.
try {
  await tryPort(chosenPort())
} catch (error) {
  process.stderr.write(`\n  ${error instanceof Error ? error.message : error}\n\n`)
  process.exitCode = 1
}
