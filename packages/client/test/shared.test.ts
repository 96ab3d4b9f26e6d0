import { defineEvents, payload } from '@sse/contract'
import { describe, expect, it, vi } from 'vitest'
import { shareEventSource } from '../src/index.ts'
import { createMockTransport } from '../src/testing/index.ts'

const events = defineEvents({ note: payload<string>() })
let count = 0
/** A url that no other test has asked for. */
const fresh = (): string => `/shared/${++count}`

describe('a shared source', () => {
  it('is the same one for the same url, on one connection that ends after the last listener', async () => {
    const transport = createMockTransport(events)
    const url = fresh()
    const options = { events, transport }
    const first = shareEventSource(url, options)
    const second = shareEventSource(url, options)
    expect(second).toBe(first)
    const offs = [first.on('note', () => {}), second.on('note', () => {})]
    await transport.settle()
    expect(transport.at(url).requests).toHaveLength(1)
    for (const off of offs) off()
    await transport.advance(1_000)
    expect(transport.at(url).streams).toBe(0)
    expect(first.getState().status).toBe('idle')
  })

  it('is the same one for the same url and key only', () => {
    const url = fresh()
    const share = (where: string | URL, key?: string) => shareEventSource(where, { events, key })
    expect(share(url, 'wren')).toBe(share(url, 'wren'))
    expect(share(url, 'wren')).not.toBe(share(url, 'heron'))
    expect(share(url, 'wren')).not.toBe(share(url))
    expect(share(url, 'wren')).not.toBe(share(fresh(), 'wren'))
    const absolute = `http://localhost${fresh()}`
    expect(share(absolute)).toBe(share(new URL(absolute)))
  })

  it('warns of an asker whose options differ, and stays as it is', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const url = fresh()
    const first = shareEventSource(url, { events })
    expect(shareEventSource(url, { events, headers: () => ({}) })).toBe(first)
    expect(warn).not.toHaveBeenCalled()
    expect(shareEventSource(url, { events, credentials: 'include' })).toBe(first)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0]?.[0]).toMatch(/'credentials'.*'key'/s)
    warn.mockRestore()
  })

  it.each([
    { linger: 60_000 },
    { maxAttempts: 3 },
    { connectTimeout: 5_000 },
    { heartbeat: 15_000 },
    { pauseWhenHidden: true },
  ])('warns of an asker whose %o would be ignored', (option) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const url = fresh()
    shareEventSource(url, { events })
    shareEventSource(url, { events, ...option })
    expect(warn.mock.calls).toEqual([[expect.stringContaining(`'${Object.keys(option)[0]}'`)]])
    warn.mockRestore()
  })

  it('is none for a POST, unless it is told by a key', () => {
    expect(() => shareEventSource(fresh(), { method: 'POST' })).toThrow(/'key'/)
    expect(() => shareEventSource(fresh(), { method: 'POST', key: fresh() })).not.toThrow()
  })

  it('is looked for at the same cost, however many there were', () => {
    const looks = vi.spyOn(WeakRef.prototype, 'deref')
    for (let page = 0; page < 500; page += 1) shareEventSource(fresh())
    expect(looks.mock.calls.length).toBeLessThan(5 * 500)
    looks.mockRestore()
  })

  it('that failed is tried again by those who come after all have left', async () => {
    const transport = createMockTransport(events)
    const url = fresh()
    transport.at(url).refuse(404)
    const source = shareEventSource(url, { events, transport, linger: 0 })
    const off = source.on('note', () => {})
    await transport.settle()
    expect(source.getState().status).toBe('failed')
    off()
    await transport.settle()
    shareEventSource(url, { events, transport }).on('note', () => {})
    await transport.settle()
    expect(source.getState().status).toBe('open')
  })
})
