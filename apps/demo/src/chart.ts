import type { Mark, Recording } from './recording.ts'

/** The colours of the chart, as canvas takes them. */
export interface Inks {
  readonly grid: string
  readonly ink: string
  readonly faint: string
  readonly pen: string
  readonly late: string
  readonly paper: string
}

/** The length of paper for one second. */
const PIXELS_PER_SECOND = 18
/** How long a line takes from one lane to the other, in milliseconds. */
const DRAWING = 450
const SPROCKET = 24

/** The positions of the two lanes, as shares of the height. */
export const SENT_LANE = 0.32
export const RECEIVED_LANE = 0.76

interface Frame {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  readonly inks: Inks
  readonly now: number
  /** Where the pens stand. */
  readonly head: number
  readonly sentLane: number
  readonly receivedLane: number
  x(time: number): number
}

/** Draws the tape as it is at `now`: above when events were sent, below when they arrived. */
export function draw(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  recording: Recording,
  inks: Inks,
  now: number,
): void {
  const head = width - 28
  const frame: Frame = {
    context,
    width,
    height,
    inks,
    now,
    head,
    sentLane: Math.round(height * SENT_LANE) + 0.5,
    receivedLane: Math.round(height * RECEIVED_LANE) + 0.5,
    x: (time) => head - ((now - time) / 1000) * PIXELS_PER_SECOND,
  }
  context.clearRect(0, 0, width, height)
  drawPaper(frame)
  drawLanes(frame, recording)
  for (const mark of recording.marks) drawMark(frame, mark)
  drawPens(frame, recording)
}

function drawPaper({ context, width, height, inks, now, x }: Frame): void {
  const first = Math.floor(now / 1000) + 2
  const seconds = Math.ceil(width / PIXELS_PER_SECOND) + 3
  context.strokeStyle = inks.grid
  context.fillStyle = inks.paper
  for (let second = first; second > first - seconds; second--) {
    const at = x(second * 1000)
    context.lineWidth = second % 5 === 0 ? 1 : 0.5
    line(context, at, SPROCKET / 2 + 8, at, height - SPROCKET / 2 - 8)
    if (second % 2 === 0) {
      for (const y of [9, height - 9]) {
        context.beginPath()
        context.arc(at, y, 3, 0, 2 * Math.PI)
        context.fill()
        context.lineWidth = 1
        context.stroke()
      }
    }
  }
  context.lineWidth = 0.5
  for (let y = SPROCKET; y <= height - SPROCKET; y += 18) line(context, 0, y, width, y)
}

function drawLanes(
  { context, inks, now, sentLane, receivedLane, x, head }: Frame,
  recording: Recording,
): void {
  const start = Math.max(0, x(recording.since))
  context.lineWidth = 1.5
  context.strokeStyle = inks.ink
  line(context, 0, sentLane, head, sentLane)
  // Before the page was opened, nothing could arrive here.
  let from = start
  for (const { from: lost, to } of recording.breaks) {
    const left = x(lost)
    const right = Math.min(head, x(to ?? now))
    if (right < 0) continue
    if (left > from) line(context, from, receivedLane, left, receivedLane)
    drawBreak(context, Math.max(left, 0), right, receivedLane, inks.late)
    context.strokeStyle = inks.ink
    context.lineWidth = 1.5
    from = Math.max(from, right)
  }
  line(context, from, receivedLane, Math.max(from, head), receivedLane)
}

function drawBreak(
  context: CanvasRenderingContext2D,
  left: number,
  right: number,
  y: number,
  late: string,
): void {
  context.strokeStyle = late
  context.lineWidth = 1
  context.save()
  context.beginPath()
  context.rect(left, y - 9, right - left, 18)
  context.clip()
  for (let x = left - 18; x < right; x += 7) line(context, x, y + 9, x + 18, y - 9)
  context.restore()
  context.lineWidth = 2
  line(context, left, y - 9, left, y + 9)
  line(context, right, y - 9, right, y + 9)
}

function drawMark({ context, inks, now, sentLane, receivedLane, x, width }: Frame, mark: Mark): void {
  const from = x(mark.sentAt)
  const to = x(mark.receivedAt)
  if (to < -20 || from > width) return
  const faint = mark.kind === 'presence' || mark.kind === 'tick'
  const colour = mark.caughtUp ? inks.late : faint ? inks.faint : inks.pen
  const reach = ease(Math.min(1, (now - mark.receivedAt) / DRAWING))
  context.strokeStyle = colour
  context.fillStyle = colour
  context.lineWidth = mark.kind === 'tick' ? 0.5 : faint ? 1 : 2
  line(context, from, sentLane, from + (to - from) * reach, sentLane + (receivedLane - sentLane) * reach)
  drawHead(context, mark.kind, from, sentLane)
  if (reach === 1) drawHead(context, mark.kind, to, receivedLane)
}

const radii = { counter: 4, presence: 2.5, tick: 1.25 } as const

function drawHead(context: CanvasRenderingContext2D, kind: Mark['kind'], x: number, y: number): void {
  context.beginPath()
  if (kind === 'notification') context.rect(x - 5, y - 5, 10, 10)
  else context.arc(x, y, radii[kind], 0, 2 * Math.PI)
  context.fill()
}

function drawPens({ context, inks, head, sentLane, receivedLane }: Frame, recording: Recording): void {
  const cut = recording.breaks.some(({ to }) => to === undefined)
  for (const [y, colour] of [
    [sentLane, inks.ink],
    [receivedLane, cut ? inks.late : inks.ink],
  ] as const) {
    context.fillStyle = colour
    context.beginPath()
    context.moveTo(head, y)
    context.lineTo(head + 14, y - 6)
    context.lineTo(head + 14, y + 6)
    context.fill()
  }
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath()
  context.moveTo(x1, y1)
  context.lineTo(x2, y2)
  context.stroke()
}

const ease = (t: number): number => 1 - (1 - t) ** 3
