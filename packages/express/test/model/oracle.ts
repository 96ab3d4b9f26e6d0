import { createDecoder, type DecodedEvent, type Decoder } from '@sse/protocol'
import type { Log, Published } from './log.ts'

/** What the reader's last event id is worth, judged naively. */
type Standing =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'resumed'; readonly g: number }
  | { readonly kind: 'lost'; readonly reason: 'epoch' | 'unknown' }

function judge(lastEventId: string | undefined, log: string, head: number): Standing {
  if (lastEventId === undefined || lastEventId === '') return { kind: 'fresh' }
  const [, epoch, digits = ''] = /^([^-]+)-([0-9a-z]+)$/.exec(lastEventId) ?? []
  const g = Number.parseInt(digits, 36)
  if (epoch === undefined || !Number.isSafeInteger(g)) return { kind: 'lost', reason: 'unknown' }
  if (epoch !== log) return { kind: 'lost', reason: 'epoch' }
  return g > head ? { kind: 'lost', reason: 'unknown' } : { kind: 'resumed', g }
}

/** One channel of a stream, as the promise sees it. */
interface Member {
  /** What was published beyond it is due. */
  readonly since: number
  /** Whether it was joined after the first join. */
  later: boolean
  /** What comes without an id, because the channel was joined later, in its order. */
  recent: Published[]
  /** Whether the channel was forgotten since the reader's cursor, so that nobody knows what there was. */
  forgotten: boolean
  /** Whether the reader asked for all that there ever was, and some of it is gone. */
  incomplete: boolean
}

interface Private {
  readonly data: string
  /** Everything up to it was published before. */
  readonly after: number
  readonly channels: ReadonlySet<string>
}

/**
 * The promise as a judge of one connection: it reads every byte in the moment of its writing, and says what is wrong.
 * It knows what was published, and nothing of how the server works.
 */
export class Oracle {
  readonly violations: string[] = []
  /** Whether `sse.close` was said. */
  closed = false

  readonly #log: Log
  readonly #lastEventId: string | undefined
  readonly #decoder: Decoder
  readonly #members = new Map<string, Member>()
  /** Due, and neither delivered nor announced. What was superseded is discharged. */
  readonly #due = new Set<Published>()
  /** May come, as it was published while the channel was joined. */
  readonly #maybe = new Set<Published>()
  /** Left as soon as the joins under way are done. */
  readonly #leaving = new Set<string>()
  readonly #left = new Set<string>()
  readonly #covered = new Set<Published>()
  readonly #settled = new Set<Published>()
  readonly #privates: Private[] = []
  /** Channels whose later join is to be announced. */
  readonly #joined: string[][] = []
  #opening: 'none' | 'opened' | 'live' = 'none'
  #start:
    | {
        readonly standing: Standing
        readonly channels: readonly string[]
        readonly head: number
        readonly newest: boolean
        readonly all: boolean
      }
    | undefined
  /** What is missing from the first, not yet said. */
  #lost: { readonly channels: readonly string[]; readonly reason: string } | undefined
  /** What `sse.close` is to say, once the application has asked for it. */
  #closing: string | undefined
  #lastEvent = -1
  #lastId = -1

  constructor(log: Log, lastEventId: string | undefined) {
    this.#log = log
    this.#lastEventId = lastEventId
    this.#decoder = createDecoder({ onEvent: (event) => this.#hear(event) })
  }

  get channels(): readonly string[] {
    return [...this.#members.keys()]
  }

  has(channel: string): boolean {
    return this.#members.has(channel)
  }

  // What happens on the server

  /** The hub reads the logs for a join: what the reader is due is decided. */
  read(channels: readonly string[], last: number, head: number, origins: ReadonlyMap<string, number>): void {
    if (this.#start === undefined) this.#begin(channels, last, head, origins)
    else this.#extend(channels, last, head, origins)
    for (const channel of this.#leaving) this.leaving(channel)
    for (const channel of channels) {
      for (const entry of this.#log.of(channel)) if (entry.g > head) this.published(entry, true)
    }
  }

  published(entry: Published, joining: boolean): void {
    const member = this.#members.get(entry.channel)
    if (member === undefined) return
    const { later } = member
    // In the turn of a later join it may come before or after it.
    // The end of a channel is not sent.
    const sent = entry.said.kind !== 'end'
    const unsure = this.#closing !== undefined || this.#leaving.has(entry.channel) || (joining && later)
    if (sent && unsure) this.#maybe.add(entry)
    else if (sent) this.#due.add(entry)
    if (joining && later) for (const recent of member.recent.splice(0)) this.#maybe.add(recent)
    if (!joining || later || this.#start?.newest !== true) return
    member.incomplete ||= this.#start.all
    // In the turn of a first one it may be one of the newest, which another one then is not.
    for (const other of this.#due) {
      if (other === entry || other.channel !== entry.channel || other.said.kind === 'state') continue
      this.#due.delete(other)
      this.#maybe.add(other)
    }
  }

  left(channel: string): void {
    this.#members.delete(channel)
    this.#leaving.delete(channel)
    this.#left.add(channel)
    for (const entry of this.#due) if (entry.channel === channel) this.#due.delete(entry)
    for (const entry of this.#maybe) if (entry.channel === channel) this.#maybe.delete(entry)
  }

  /** The channel is left as soon as the joins under way are done: until then its entries may come. */
  leaving(channel: string): void {
    this.#leaving.add(channel)
    const recent = this.#members.get(channel)?.recent.splice(0) ?? []
    for (const entry of [...this.#due, ...recent]) {
      if (entry.channel !== channel) continue
      this.#due.delete(entry)
      this.#maybe.add(entry)
    }
  }

  /** The application closes the stream: what comes from now on is not due. */
  close(reason: string): void {
    this.#closing ??= reason
  }

  /** Whether the stream is to end by itself, or was closed. */
  get ending(): boolean {
    return this.#closing !== undefined || this.#lastWord() !== undefined
  }

  sent(data: string, joining: boolean): void {
    // What a join that is not done brings may come before or after it.
    const channels = new Set(joining ? [] : this.#members.keys())
    this.#privates.push({ data, after: this.#log.head, channels })
  }

  /** What of a channel was dropped and not offered to this reader. */
  unoffered(): readonly Published[] {
    return this.#owed().filter(({ dropped }) => dropped)
  }

  /** The bytes of one write. Blocks are written whole. */
  wrote(bytes: Buffer): void {
    if (this.closed) this.#fail('written after sse.close', bytes.toString())
    const text = bytes.toString()
    if (!text.endsWith('\n\n')) this.#fail('a block was cut', text.slice(-40))
    for (const block of text.split('\n\n').slice(0, -1)) {
      // Forgets the id before, so that a block without one is known.
      this.#decoder.feed(`id:\n${block}\n\n`)
    }
  }

  /** Nothing is under way, and the reader takes all: everything is to be there. */
  rested(): void {
    if (this.#start === undefined) return
    if (this.closed) return
    for (const entry of this.#owed()) this.#fail('never delivered', show(entry))
    for (const { recent } of this.#members.values()) {
      if (recent.length > 0) this.#fail('recent entries never delivered', recent.map(show).join())
    }
    if (this.#privates.length > 0)
      this.#fail('private events never delivered', JSON.stringify(this.#privates))
    if (this.#joined.length > 0) this.#fail('a later join was never announced', this.#joined.join())
    if (this.#lost !== undefined) this.#fail('a lost cursor was never announced', this.#lost.reason)
    if (this.#opening !== 'live') this.#fail('never live')
    if (this.#closing !== undefined) this.#fail('sse.close was never said', this.#closing)
    if (this.#lastWord() !== undefined) this.#fail('the end of all channels closed nothing')
  }

  // What the reader hears

  #begin(
    channels: readonly string[],
    last: number,
    head: number,
    origins: ReadonlyMap<string, number>,
  ): void {
    const log = this.#log
    const standing = judge(this.#lastEventId, log.epoch, head)
    this.#start = {
      standing,
      channels,
      head,
      newest: standing.kind === 'fresh' && last > 0,
      all: last === Number.POSITIVE_INFINITY,
    }
    if (standing.kind === 'lost') this.#lost = { channels, reason: standing.reason }
    for (const channel of channels) {
      const origin = origins.get(channel) ?? 0
      const since = standing.kind === 'resumed' ? standing.g : standing.kind === 'fresh' ? head : 0
      const kept = log.retained(channel).filter(({ g }) => g <= head)
      const gone = log.of(channel).some((entry) => entry.dropped && entry.g > origin)
      this.#members.set(channel, {
        since,
        recent: [],
        forgotten: standing.kind === 'resumed' && origin > since,
        later: false,
        incomplete: standing.kind === 'fresh' && last === Number.POSITIVE_INFINITY && gone,
      })
      const due = standing.kind === 'fresh' ? newest(kept, last) : log.of(channel)
      for (const entry of due) if (entry.g > since || standing.kind === 'fresh') this.#due.add(entry)
    }
    for (const entry of this.#due) {
      // The end of a channel is not sent; of a log that the reader does not know all is announced as one.
      if (entry.said.kind === 'end') this.#due.delete(entry)
      else if (standing.kind === 'lost' && entry.dropped) this.#cover(entry)
    }
  }

  #extend(
    channels: readonly string[],
    last: number,
    head: number,
    origins: ReadonlyMap<string, number>,
  ): void {
    const fresh = judge(this.#lastEventId, this.#log.epoch, head).kind === 'fresh'
    for (const channel of channels) {
      const origin = origins.get(channel) ?? 0
      const gone = this.#log.of(channel).some((entry) => entry.dropped && entry.g > origin)
      this.#members.set(channel, {
        since: head,
        recent: [...newest(this.#log.retained(channel), last)],
        forgotten: false,
        incomplete: fresh && last === Number.POSITIVE_INFINITY && gone,
        later: true,
      })
    }
    if (!fresh) this.#joined.push([...channels])
  }

  #hear({ data, event, id }: DecodedEvent): void {
    if (this.#opening === 'none' && event !== 'sse.open') this.#fail('came before sse.open', event)
    const block = { data, event, id }
    switch (event) {
      case 'sse.open':
        this.#hearOpen(block)
        return
      case 'sse.gap':
        this.#hearGap(block)
        return
      case 'sse.live':
        this.#hearLive(block)
        return
      case 'sse.close':
        this.#hearClose(block)
        return
      case 'private':
        this.#hearPrivate(block)
        return
      default:
        this.#hearPublished(block)
        return
    }
  }

  #hearOpen({ data, id }: DecodedEvent): void {
    if (this.#opening !== 'none') this.#fail('sse.open came twice')
    this.#opening = 'opened'
    const resumed = this.#start?.standing.kind === 'resumed'
    if (JSON.parse(data).resumed !== resumed) this.#fail('sse.open says otherwise', data)
    if (id !== (resumed ? this.#lastEventId : ''))
      this.#fail('the id of sse.open is not the accepted cursor', id)
    if (id !== '') this.#vouch(id)
  }

  #hearGap({ data, id }: DecodedEvent): void {
    if (id !== '') this.#fail('sse.gap has an id', id)
    const { channels, reason }: { channels: string[]; reason: string } = JSON.parse(data)
    if (reason === 'joined') {
      const expected = this.#joined.shift()
      if (expected?.join() !== channels.join()) this.#fail('a gap by a join that was none', data)
      return
    }
    if (reason !== 'evicted') {
      if (reason !== this.#lost?.reason || channels.join() !== this.#lost.channels.join()) {
        this.#fail('a gap that was none', data)
      }
      this.#lost = undefined
      for (const entry of this.#due) if (entry.dropped) this.#cover(entry)
      return
    }
    for (const channel of channels) {
      const member = this.#members.get(channel)
      if (member === undefined) {
        // It may have been left while the gap waited to be written.
        if (!this.#left.has(channel)) this.#fail('a gap of a channel that was not joined', data)
        continue
      }
      const { forgotten, incomplete } = member
      let missing = forgotten || incomplete
      member.forgotten = false
      member.incomplete = false
      for (const entry of this.#log.of(channel)) {
        if (!entry.dropped || this.#settled.has(entry)) continue
        if (entry.g <= member.since && !this.#due.has(entry) && !this.#maybe.has(entry)) continue
        missing = true
        this.#due.delete(entry)
        // What the server knew to be missing from the first was decided before it was written.
        if (incomplete) this.#covered.add(entry)
        else this.#settled.add(entry)
      }
      // A channel may have been left and joined again while its gap waited to be written.
      const left = this.#left.has(channel) || this.#leaving.has(channel)
      if (!missing && !left) this.#fail('a false gap', data)
    }
  }

  #hearLive({ id }: DecodedEvent): void {
    if (this.#start === undefined) {
      if (id !== '') this.#fail('an id without a log', id)
      return
    }
    if (this.#lost !== undefined) this.#fail('live before the loss was announced')
    const g = this.#vouch(id)
    if (this.#opening === 'opened' && g < this.#start.head) this.#fail('live before the replay was done', id)
    this.#opening = 'live'
  }

  #hearClose({ data, id }: DecodedEvent): void {
    const { reason }: { reason: string } = JSON.parse(data)
    const staying = this.channels.filter((channel) => !this.#leaving.has(channel))
    const reasons = [this.#closing, this.#lastWord(), this.#lastWord(staying)]
    if (!reasons.includes(reason)) this.#fail('closed for no reason', data)
    if (!id.endsWith('~')) this.#fail('the id of sse.close is not final', id)
    if (this.#start !== undefined) this.#vouch(id.slice(0, -1))
    this.closed = true
  }

  #hearPrivate({ data, id }: DecodedEvent): void {
    if (id !== '') this.#fail('a private event has an id', id)
    const expected = this.#privates.shift()
    if (expected?.data !== data) {
      this.#fail('private events out of order', `${data} for ${expected?.data}`)
      return
    }
    if (this.#lastEvent > expected.after)
      this.#fail('a private event came after what was published later', data)
    for (const entry of this.#owed()) {
      if (entry.g <= expected.after && expected.channels.has(entry.channel)) {
        this.#fail('a private event came before what was published earlier', `${data}: ${show(entry)}`)
      }
    }
  }

  #hearPublished({ data, event, id }: DecodedEvent): void {
    if (this.#lost !== undefined) this.#fail('came before the loss was announced', data)
    if (id === '') {
      this.#hearRecent(event, data)
      return
    }
    const [entry] = [...this.#due, ...this.#maybe].filter(({ g }) => this.#log.id(g) === id)
    if (entry === undefined || dataOf(entry) !== data) {
      this.#fail('came twice, or was not due', `${id} ${data}`)
      return
    }
    const member = this.#members.get(entry.channel)
    if (member === undefined) this.#fail('came of a channel that was not joined', show(entry))
    else if (member.recent.length > 0) this.#fail('came before what is older', show(entry))
    this.#settle(entry)
    if (entry.g <= this.#lastId) this.#fail('came out of order', show(entry))
    this.#lastEvent = entry.g
    this.#vouch(id)
  }

  /** An entry of a channel that was joined later, from before. */
  #hearRecent(event: string, data: string): void {
    for (const [channel, { recent }] of this.#members) {
      const [first] = recent
      if (first === undefined || dataOf(first) !== data || eventOf(first) !== event) continue
      if (this.#joined.flat().includes(channel)) this.#fail('came before the later join was announced', data)
      recent.shift()
      return
    }
    // Two removals look alike: the older one comes first.
    const maybe = [...this.#maybe].sort((a, b) => a.g - b.g)
    const entry = maybe.find((one) => dataOf(one) === data && eventOf(one) === event)
    if (entry !== undefined) {
      this.#settle(entry)
      return
    }
    this.#fail('came without an id', data)
  }

  /** An id says: everything up to here was delivered, superseded or announced. */
  #vouch(id: string): number {
    const [epoch, digits = ''] = id.split('-')
    const g = Number.parseInt(digits, 36)
    if (epoch !== this.#log.epoch || g > this.#log.head || this.#log.id(g) !== id)
      this.#fail('no id of this log', id)
    if (g < this.#lastId) this.#fail('an id went back', id)
    this.#lastId = g
    for (const entry of this.#owed()) {
      if (entry.g <= g) this.#fail('an id ran ahead', `${id} before ${show(entry)}`)
    }
    return g
  }

  /** What is due and not discharged: a state from before a first join may be gone by the time it would be written. */
  #owed(): Published[] {
    return [...this.#due].filter(({ channel, dropped, g, said, superseded }) => {
      const first = g <= (this.#members.get(channel)?.since ?? 0)
      return !superseded && !(first && dropped && said.kind === 'state')
    })
  }

  /** Why the stream ends by itself: the newest end, once all of its channels have ended. */
  #lastWord(channels = this.channels): string | undefined {
    const ends = channels.map((channel) => this.#log.end(channel))
    if (ends.length === 0 || ends.includes(undefined)) return undefined
    const last = ends.reduce((a, b) => ((b?.g ?? 0) > (a?.g ?? 0) ? b : a))
    return last?.said.kind === 'end' ? last.said.reason : undefined
  }

  /** Announced with all that is missing, and maybe once more by itself. */
  #cover(entry: Published): void {
    this.#due.delete(entry)
    this.#covered.add(entry)
  }

  #settle(entry: Published): void {
    this.#due.delete(entry)
    this.#maybe.delete(entry)
    this.#settled.add(entry)
  }

  #fail(what: string, detail = ''): void {
    this.violations.push(`${what}: ${detail}`)
  }
}

/** The states, the newest `n` of the notes, and the removals from there on, in order. */
function newest(kept: readonly Published[], n: number): readonly Published[] {
  const notes = kept.filter(({ said }) => said.kind === 'note')
  const before = n === 0 ? Number.POSITIVE_INFINITY : (notes.at(-n - 1)?.g ?? 0)
  return kept.filter(({ g, said }) => said.kind === 'state' || g > before)
}

const eventOf = ({ said }: Published): string => (said.kind === 'remove' ? 'sse.remove' : said.kind)

const dataOf = ({ said }: Published): string => {
  if (said.kind === 'remove') return JSON.stringify({ event: 'state', key: said.key })
  return said.kind === 'end' ? '' : said.data
}

const show = ({ channel, dropped, g, said, superseded }: Published): string =>
  `${channel}@${g} ${said.kind}${superseded ? ' superseded' : ''}${dropped ? ' dropped' : ''}`
