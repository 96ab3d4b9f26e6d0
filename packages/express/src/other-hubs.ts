import { SseError } from './errors.ts'

/** A hub's stream on a response, for which several hubs may be mounted: the stream that is used first takes the response. */
export interface OneOfSeveral {
  /** The stream of the hub mounted before. */
  readonly before: OneOfSeveral | undefined
  /** The stream of the hub mounted after. */
  after: OneOfSeveral | undefined
  /** Whether the response may still become another hub's stream. */
  readonly unused: boolean
}

/** @throws {@link SseError} `ERR_SSE_OTHER_HUB` if another hub's stream can no longer have the response */
export function mustBeUnused({ unused }: OneOfSeveral): void {
  if (unused) return
  throw new SseError(
    'ERR_SSE_OTHER_HUB',
    500,
    'Another hub streams on this response already: use one hub for a response, that of res.sse.hub.',
  )
}

/** @throws {@link SseError} `ERR_SSE_OTHER_HUB` if another hub's stream has the response */
export function mustBeFirst(stream: OneOfSeveral): void {
  for (let { before } = stream; before !== undefined; { before } = before) mustBeUnused(before)
  for (let { after } = stream; after !== undefined; { after } = after) mustBeUnused(after)
}
