import { ContractError } from './errors.ts'

/**
 * Refuses a name that cannot be an event's.
 *
 * @throws {@link ContractError}
 */
export function assertEventName(name: unknown): asserts name is string {
  // Half a surrogate pair would arrive as another name, since UTF-8 cannot carry it.
  if (typeof name !== 'string' || name === '' || /[\r\n\0]|\p{Surrogate}/u.test(name)) {
    const shown = typeof name === 'string' ? JSON.stringify(name) : typeof name
    throw new ContractError(
      'ERR_SSE_EVENT_NAME',
      shown,
      `The event name ${shown} cannot be sent: use a non-empty string without CR, LF, NUL or half a surrogate pair. The event comes first: send('message', data).`,
    )
  }
  assertUnreserved(name)
}

/**
 * Refuses a name that means something else to those who listen.
 *
 * @throws {@link ContractError}
 */
function assertUnreserved(name: string): void {
  if (/^(open|error|\*|sse\..*)$/s.test(name)) {
    throw new ContractError(
      'ERR_SSE_RESERVED_EVENT',
      name,
      `The event name '${name}' is reserved, as 'sse.*', 'open', 'error' and '*' are: choose another.`,
    )
  }
}
