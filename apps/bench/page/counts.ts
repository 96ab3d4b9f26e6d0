import type { Counts } from '../src/counts.ts'

export const counts: Counts = { events: 0, renders: 0, longTasks: 0, longest: 0 }

Object.assign(globalThis, { bench: counts })

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    counts.longTasks += 1
    counts.longest = Math.max(counts.longest, duration)
  }
}).observe({ type: 'longtask', buffered: true })
