import { afterEach, describe, expect, it, vi } from 'vitest'
import { pageLifecycle } from '../src/lifecycle.ts'

afterEach(() => vi.unstubAllGlobals())

describe('the lifecycle of a page', () => {
  it('is heard in a DOM that refuses the AbortSignal of Node, until it aborts', () => {
    // As in jest-fixed-jsdom: the window is that of jsdom, fetch and AbortController are those of Node.
    const page = new EventTarget()
    vi.stubGlobal(
      'addEventListener',
      (type: string, hear: () => void, options: AddEventListenerOptions | boolean) => {
        if (typeof options === 'object' && 'signal' in options) throw new TypeError('not of type AbortSignal')
        page.addEventListener(type, hear, options)
      },
    )
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
    const heard: string[] = []
    const until = new AbortController()
    pageLifecycle.listen((signal) => heard.push(signal), until.signal)
    page.dispatchEvent(new Event('offline'))
    expect(heard).toEqual(['offline'])
    until.abort()
    page.dispatchEvent(new Event('online'))
    expect(heard).toEqual(['offline'])
  })
})
