import { inject } from 'vitest'
import { describeConnection } from '../suites/connection.ts'
import type { Serve } from '../suites/endpoint.ts'
import { describeRequest } from '../suites/standard-request.ts'
import { describeStream } from '../suites/standard-stream.ts'

/** Endpoints at the server of the browser's tests, which is another origin than the page. */
const serveThere: Serve = async (...answers) => {
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

describeStream(serveThere)
describeRequest(serveThere)
describeConnection(serveThere)
