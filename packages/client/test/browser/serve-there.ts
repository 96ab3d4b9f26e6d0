import { inject } from 'vitest'
import type { Serve } from '../suites/endpoint.ts'

/** Endpoints at the server of the browser's tests, which is another origin than the page. */
export const serveThere: Serve = async (...answers) => {
  const script = `${inject('origin')}/scripts`
  const id = await (await fetch(script, { method: 'POST', body: JSON.stringify(answers) })).text()
  return {
    url: `${script}/${id}/events`,
    seen: async () => (await fetch(`${script}/${id}`)).json(),
    cut: () => fetch(`${script}/${id}/cut`, { method: 'POST' }),
    // It ends with its server.
    async [Symbol.asyncDispose]() {},
  }
}
