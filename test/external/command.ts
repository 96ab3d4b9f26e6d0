import { execFile } from 'node:child_process'

/** What a command came to. */
export interface Outcome {
  readonly code: number | string | null
  readonly output: string
}

/** Runs a command to its end, or kills it when its time is up. */
export function command(cwd: string, file: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { cwd, timeout: 180_000, env: environment() },
      (error, stdout, stderr) => {
        const ended = error === null ? 0 : (error.code ?? error.signal ?? null)
        resolve({ code: ended, output: `${stdout}${stderr}` })
      },
    )
    child.stdin?.end()
  })
}

/** Without what this workspace's runners add to it: the foreign project is to be on its own. */
function environment(): NodeJS.ProcessEnv {
  const own =
    /^(npm_(?!config_(registry|cache|cafile|userconfig|noproxy|https?_?proxy))|pnpm_|VITEST|TEST$|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$)/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}
