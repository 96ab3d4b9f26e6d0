// The browser tests need Chromium: silent where it is there, installed where that is possible, else said how.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
const onPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)))

const run = (command, ...args) =>
  spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0

function install() {
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return false
  return (
    run('apt-get', 'update', '-q') && run('apt-get', 'install', '-qy', '--no-install-recommends', 'chromium')
  )
}

const named = process.env.CHROMIUM
const found = named === undefined ? names.some(onPath) : isExecutable(named)

if (!found && !install()) {
  process.stderr.write(
    'Chromium is missing, which the browser tests need. Install it (Debian, Ubuntu: `sudo apt-get install chromium`; macOS: `brew install --cask chromium`; Fedora: `sudo dnf install chromium`) so that `chromium` is on the PATH, or name it in CHROMIUM.\n',
  )
}
