import type { AnyContract, AnyEvents } from '@sse/client'
import {
  createMockTransport as createBareTransport,
  type MockTransport,
  type MockTransportOptions,
} from '@sse/client/testing'
import { act } from 'react'
import { flushFrame } from '../frame.ts'

/** Methods that the components under test call themselves, or that do not affect them. */
const silent: ReadonlySet<PropertyKey> = new Set(['connect', 'now'])

/**
 * The mock transport of `@sse/client/testing`, for components: by the time that a call returns, or its promise settles, its
 * effects have been rendered.
 *
 * @param events - the contract, which types and checks what is emitted
 * @param options - by default, its time begins now
 *
 * @example
 * const mock = createMockTransport(events)
 * render(<EventSourceProvider transport={mock}><App /></EventSourceProvider>)
 * await mock.settle()
 * mock.at('/events').emit('counter', { value: 1 })
 * screen.getByText('1')
 */
export function createMockTransport<E = AnyEvents>(
  events?: E & AnyContract,
  options: MockTransportOptions = {},
): MockTransport<E> {
  const mock = createBareTransport<E>(events, { now: Date.now(), ...options })
  const at: MockTransport<E>['at'] = (url) => rendered(mock.at(url), {})
  return rendered(mock, { at })
}

/** The same object with its methods wrapped in `act`, except for the `own` ones, which replace them. */
function rendered<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key)
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function' || silent.has(key)) return value
      return (...args: unknown[]): unknown => render(() => Reflect.apply(value, target, args))
    },
  })
}

function render(change: () => unknown): unknown {
  const leave = enterAct()
  let result: unknown
  try {
    const rendered = act(() => {
      result = change()
      return result instanceof Promise ? result.then(flushFrame) : flushFrame()
    })
    // `act` returns a mere thenable.
    return result instanceof Promise ? Promise.resolve(rendered).finally(leave) : result
  } finally {
    if (!(result instanceof Promise)) leave()
  }
}

/** Makes the environment one for `act`, as Testing Library does. @returns a function that restores it */
function enterAct(): () => void {
  const environment: typeof globalThis & { IS_REACT_ACT_ENVIRONMENT?: boolean } = globalThis
  const before = environment.IS_REACT_ACT_ENVIRONMENT ?? false
  environment.IS_REACT_ACT_ENVIRONMENT = true
  return () => {
    environment.IS_REACT_ACT_ENVIRONMENT = before
  }
}
