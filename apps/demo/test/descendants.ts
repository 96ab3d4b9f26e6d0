import { execFileSync } from 'node:child_process'

/** The processes that a process has started, and those that they have started. */
export function descendants(pid: number | undefined): number[] {
  const children = new Map<number, number[]>()
  for (const line of execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
    .trim()
    .split('\n')) {
    const [parent = 0, child = 0] = line.trim().split(/\s+/).map(Number)
    children.set(parent, [...(children.get(parent) ?? []), child])
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)])
  return pid === undefined ? [] : below(pid)
}

/** Those of the processes that still run. */
export const alive = (pids: readonly number[]): number[] =>
  pids.filter((pid) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  })

/** What a process was started with. */
export const commandOf = (pid: number): string =>
  execFileSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' })
