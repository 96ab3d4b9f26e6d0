/** What a page has seen so far. The bench reads it as `bench` of the window. */
export interface Counts {
  events: number
  renders: number
  longTasks: number
  /** Milliseconds of the longest of them. */
  longest: number
}
