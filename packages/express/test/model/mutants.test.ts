import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadMutant, type Mutation } from './mutant.ts'
import { settings, steps } from './steps.ts'
import { type Library, World } from './world.ts'

const mutations: readonly Mutation[] = [
  {
    name: 'the head as the id of sse.open',
    file: 'joining.ts',
    text: 'feed.greet(admission.resumed ? lastEventId : undefined,',
    becomes:
      "const { epoch, head } = reading; feed.greet(admission.resumed ? epoch + '-' + head.toString(36) : undefined,",
  },
  {
    name: 'a new channel that looks as if nothing had ever been dropped',
    file: 'memory-broker.ts',
    text: 'new History(head, forgotten)',
    becomes: 'new History(head, 0)',
  },
  {
    name: 'a replay that begins with the event of the cursor',
    file: 'admission.ts',
    text: "standing.kind === 'resumed' ? standing.g : 0\n",
    becomes: "standing.kind === 'resumed' ? Math.max(0, standing.g - 1) : 0\n",
  },
  {
    name: 'merged bytes shared across channels',
    file: 'merges.ts',
    text: 'merged?.history === history &&',
    becomes: 'merged !== undefined &&',
  },
  {
    name: 'an id in sse.gap',
    file: 'delivery.ts',
    text: "push(gapOf(channels, 'evicted'))",
    becomes:
      "push(Buffer.from(encodeControl('sse.gap', { channels, reason: 'evicted' }, formatCursor(this.epoch, this.published))))",
  },
  {
    name: 'a connected reader who is told of its first gap only',
    file: 'membership.ts',
    text: 'member.covered = Math.max(member.covered, evicted)\n',
    becomes: 'member.covered = Number.POSITIVE_INFINITY\n',
  },
  {
    name: 'events dropped before healthy readers were offered them',
    file: 'memory-broker.ts',
    text: 'for (const sink of sinks) sink.beforeEviction(evicted)\n      if',
    becomes: 'if',
  },
  {
    name: 'private events that overtake what was published before',
    file: 'delivery.ts',
    text: 'after: this.published, bytes',
    becomes: 'after: this.cursor, bytes',
  },
  {
    name: 'a stream in step with one channel while another one has news',
    file: 'place.ts',
    text: 'if (histories === undefined) return true',
    becomes: 'return true',
  },
  {
    name: 'a stream in step that is sent the same again',
    file: 'pass.ts',
    text: 'stream.cursor = step.to\n',
    becomes: '',
  },
  {
    name: 'a stream in step that steps over the end of its channel',
    file: 'place.ts',
    text: ' || history.end !== undefined) return undefined',
    becomes: ') return undefined',
  },
  {
    name: 'a reader who leaves twice, the second time for somebody else',
    file: 'feed.ts',
    text: 'if (this.#over || !this.delivery.has(channel)) continue',
    becomes: 'if (!this.delivery.has(channel)) continue',
  },
]

/** Looks for a history of the world that the package, or the mutant, gets wrong. */
const search = (library: Library, numRuns: number): Promise<{ readonly failed: boolean }> =>
  fc.check(
    fc.asyncProperty(settings, steps, async (given, taken) => {
      const world = new World(library, given)
      await world.run(taken)
      if (world.violations.length > 0) throw new Error(world.violations.join('\n'))
    }),
    // The first failure is enough. A fixed seed, as this is about the model, which is not to be lucky.
    { numRuns, seed: 1, endOnFailure: true },
  )

describe('the model notices', () => {
  it.each(mutations)('$name', { timeout: 120_000 }, async (mutation) => {
    expect((await search(loadMutant(mutation), 10_000)).failed, 'the mutant survived').toBe(true)
  })

  it('nothing where nothing was changed', { timeout: 120_000 }, async () => {
    const same = {
      name: 'none',
      file: 'merges.ts',
      text: 'merged?.history === history &&',
      becomes: 'merged?.history === history &&',
    }
    expect((await search(loadMutant(same), 500)).failed).toBe(false)
  })

  it.each([
    {
      name: 'the smallest log has segments',
      file: 'segments.ts',
      text: 'SMALL_LOG: number = 16 * 1024',
      becomes: 'SMALL_LOG: number = 0',
    },
    {
      name: 'a slice is a few events, and several leave in one write',
      file: 'chunk.ts',
      text: 'SLICE: number = 64 * 1024',
      becomes: 'SLICE: number = 200',
    },
  ])('nothing where $name', { timeout: 120_000 }, async (other) => {
    expect((await search(loadMutant(other), 2_000)).failed).toBe(false)
  })
})
