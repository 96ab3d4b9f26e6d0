import type { z } from 'zod'
import {
  type Counting,
  type Cut,
  counting,
  cut,
  type Kill,
  kill,
  type Notice,
  notice,
  refusal,
} from '../shared/requests.ts'

/** The page's requests to the server. Each rejects with a message for the visitor. */
export const requests = {
  count: (body: Counting) => post('/counter', counting, body),
  notify: (body: Notice) => post('/notifications', notice, body),
  cut: (body: Cut) => post('/cut', cut, body),
  kill: (body: Kill) => post('/kill', kill, body),
}

async function post<S extends z.ZodType>(path: string, schema: S, body: z.input<S>): Promise<void> {
  const checked = schema.safeParse(body)
  if (!checked.success) throw new Error(checked.error.issues[0]?.message)
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(checked.data),
  }).catch(() => {
    throw new Error('The server cannot be reached. Try again in a moment.')
  })
  if (response.ok) return
  const said = refusal.safeParse(await response.json().catch(() => undefined))
  throw new Error(said.data?.message ?? `The server answered ${response.status}.`)
}
