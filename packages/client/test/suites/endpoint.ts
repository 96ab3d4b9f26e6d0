/** What an endpoint answers, as data, so that a page can ask for it as well. */
export interface Answer {
  /** @defaultValue 200 */
  readonly status?: number
  /** @defaultValue those of an event stream */
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or bytes. */
  readonly body?: string | readonly number[]
  /** What becomes of the response: `stay` leaves it open, `hang` does not even begin it. @defaultValue `'stay'` */
  readonly after?: 'stay' | 'end' | 'hang'
}

/** A request, as the endpoint saw it. */
export interface Seen {
  readonly method: string
  /** The last segment of its path. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The last event id that it asks to resume after, by header or by query; `undefined` for none. */
  readonly cursor: string | undefined
  /** Whether its connection is open. */
  readonly open: boolean
}

export interface Endpoint extends AsyncDisposable {
  readonly url: string
  /** The requests so far, oldest first. */
  seen(): Promise<readonly Seen[]>
  /** Breaks the connections there are. */
  cut(): Promise<unknown>
}

/** Answers each request with the next of the answers; the last one stays. */
export type Serve = (...answers: readonly [Answer, ...Answer[]]) => Promise<Endpoint>

const type = { 'content-type': 'text/event-stream' }

/** A stream that says this and stays open. */
export const stream = (body = ''): Answer => ({ headers: type, body })
/** A stream that the server ends. */
export const ending = (body: string | readonly number[]): Answer => ({ headers: type, body, after: 'end' })
/** A response that is none. */
export const refusal = (status: number, headers: Answer['headers'] = {}, body = ''): Answer => ({
  status,
  headers,
  body,
  after: 'end',
})
