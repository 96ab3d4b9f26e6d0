import type { Contract } from './contract.ts'
import { ContractError } from './errors.ts'
import { assertEventName } from './event-name.ts'

/**
 * Throws for what cannot be removed: only a state can, that of a key where it is keyed.
 *
 * @param key - `''` for none
 * @throws {@link ContractError}
 */
export function assertRemovable(
  contract: Pick<Contract, 'definitions'> | undefined,
  event: string,
  key: string,
): void {
  assertEventName(event)
  const definition = contract?.definitions[event]
  if (contract !== undefined && definition?.kind !== 'state') {
    throw new ContractError(
      'ERR_SSE_UNKNOWN_EVENT',
      event,
      `'${event}' is not a state of the contract, and only states can be removed: define it with state().`,
    )
  }
  if (definition?.kind === 'state' && definition.keyed === (key === '')) {
    throw new ContractError(
      'ERR_SSE_KEY',
      event,
      `'${event}' is ${definition.keyed ? 'keyed state: say which key' : 'state without keys: leave the key out'}.`,
    )
  }
}
