/** What happens to the page, as far as a connection has to know. */
export type LifecycleSignal = 'online' | 'offline' | 'visible' | 'hidden' | 'frozen' | 'thawed'

/** The signals of the page. */
export interface Lifecycle {
  /** Whether there is a network at all. */
  online(): boolean
  /** Whether the page can be seen. */
  visible(): boolean
  /** @returns what ends it */
  listen(listener: (signal: LifecycleSignal) => void): () => void
}
