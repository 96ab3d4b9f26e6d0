import { type ConnectionEventType, transitions } from '../src/machine.ts'

const meanings: Readonly<Record<ConnectionEventType, string>> = {
  open: 'a first listener, or `open()`',
  opened: '200 and an event stream, whose continuity is known',
  assess:
    'what the stream is worth is another than it was: `sse.gap`, or a server that was late to say that it resumes; a heartbeat was missed, or the server is heard again',
  retry: 'the attempt failed or the stream broke, and the next attempt has a time',
  due: 'that time has come, or what it waited for: back online, visible again, no longer frozen',
  refresh: 'a 401: once more, at once, with url and headers asked for anew',
  reconnect: '`reconnect()`',
  pause: 'offline, frozen, or (by choice) hidden',
  release: 'nobody listens any more',
  close: '`close()`, the signal, `sse.close`, 204',
  fail: 'refused for good, or the attempts are spent',
}

/** The connection machine as a document. */
export function describeMachine(): string {
  const arrows = Object.entries(transitions).flatMap(([from, targets]) => {
    const names = new Map<string, string[]>()
    for (const [event, to] of Object.entries(targets)) names.set(to, [...(names.get(to) ?? []), event])
    return [...names].map(([to, events]) => `  ${from} --> ${to}: ${events.join(', ')}`)
  })
  const rows = Object.entries(meanings).map(([event, meaning]) => `| \`${event}\` | ${meaning} |`)
  return `# The connection machine

Drawn from the table in \`src/machine.ts\`, which \`src/connection.ts\` runs; \`npx vitest run machine -u\` draws it anew.

\`\`\`mermaid
stateDiagram-v2
  [*] --> idle
${arrows.join('\n')}
\`\`\`

| event | what happened |
|---|---|
${rows.join('\n')}
`
}
