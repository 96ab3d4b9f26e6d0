import { CallQueue } from './call-queue.ts'
import type { Findings, Question } from './store.ts'

export interface ReadsOptions {
  /** How long a read may take, in milliseconds. */
  readonly timeout: number
  /** Reads channels from Redis. */
  read(questions: readonly Question[], signal: AbortSignal): Promise<Findings>
}

/** The most channels of one call, however many joins it answers. */
const LIMIT = { limit: Number.POSITIVE_INFINITY, weight: 10 }

/** Reads channels. Joins that come at the same time mostly want the same ones, which are read once. */
export class Reads {
  readonly #calls: CallQueue<readonly Question[], Findings>

  constructor({ timeout, read }: ReadsOptions) {
    this.#calls = new CallQueue<readonly Question[], Findings>({
      ...LIMIT,
      timeout,
      stores: false,
      weigh: (questions) => questions.length,
      async call(items, _sequence, signal) {
        const questions = new Map(items.flat().map((question) => [keyOf(question), question]))
        const { answers, known, skips } = await read([...questions.values()], signal)
        const byKey = new Map([...questions.keys()].map((key, index) => [key, answers[index]]))
        return items.map((item) => ({
          known,
          skips,
          answers: item.flatMap((question) => byKey.get(keyOf(question)) ?? []),
        }))
      },
    })
  }

  /** @throws {@link SseError} `ERR_SSE_BROKER` when time is up, or for what Redis refuses */
  add(questions: readonly Question[]): Promise<Findings> {
    return this.#calls.add(questions)
  }

  /** Refuses new reads. @returns when earlier ones are done */
  close(): Promise<void> {
    return this.#calls.close()
  }
}

const keyOf = ({ after, channel }: Question): string => `${after} ${channel}`
