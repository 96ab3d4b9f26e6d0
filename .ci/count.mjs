// Adds up the runners' reports and the gate's steps (arguments: '<exit code> <name>'). Every project that
// has a vitest configuration has to have left a report. The last line is the result.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const total = { passed: 0, failed: 0, skipped: 0 }

function projects() {
  const folders = ['packages', 'apps', 'test'].flatMap((parent) =>
    readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, parent, entry.name)),
  )
  const configs = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^vitest\.(\w+\.)?config\.ts$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  )
  return configs.flatMap((config) => /project\('([\w-]+)'/.exec(config)?.[1] ?? [])
}

function read(name) {
  try {
    return JSON.parse(readFileSync(join(root, 'reports', `${name}.json`), 'utf8'))
  } catch {
    return undefined
  }
}

for (const name of projects()) {
  const report = read(name)
  if (report === undefined) {
    total.failed += 1
    say(`${name}: no report`)
    continue
  }
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const failed = tests.filter((test) => test.status === 'failed')
  // A file that cannot be loaded, or a type error outside of a test, fails without a failing test.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const passed = tests.filter((test) => test.status === 'passed').length
  const skipped = tests.length - passed - failed.length
  const broken = failed.length + brokenFiles.length
  // An error that belongs to no test, such as an unhandled rejection; or a run without any test.
  const unexplained = broken === 0 && (!report.success || tests.length === 0) ? 1 : 0
  total.passed += passed
  total.failed += broken + unexplained
  total.skipped += skipped
  say(`${name}: ${counts({ passed, failed: broken + unexplained, skipped })}`)
  for (const test of failed) say(`  failed: ${test.fullName}${why(test.failureMessages?.[0])}`)
  for (const file of brokenFiles) say(`  failed: ${file.name}${why(file.message)}`)
  if (unexplained) say('  failed: the run as a whole; see its log above')
}

for (const [, code, name] of process.argv.slice(2).map((step) => /^(\d+) (.*)$/.exec(step) ?? [])) {
  if (code === '0') total.passed += 1
  else {
    total.failed += 1
    say(`failed step: ${name}`)
  }
}

/** The first lines of an error, so that the end of the log says what failed and how. */
function why(message = '') {
  return message
    .split('\n', 8)
    .map((line) => (line.trim() === '' ? '' : `\n    ${line.slice(0, 200)}`))
    .join('')
}

function counts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

say(counts(total))
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
