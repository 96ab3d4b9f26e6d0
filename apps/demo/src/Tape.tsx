import { useEffect, useRef } from 'react'
import { draw, type Inks, RECEIVED_LANE, SENT_LANE } from './chart.ts'
import type { Recording } from './recording.ts'

const FRAME = 1000 / 30

const percent = (share: number): string => `${100 * share}%`

interface TapeProps {
  readonly recording: Recording | undefined
  /** Whether ticks are among the events. */
  readonly ticking: boolean
}

/** The last minute on moving paper: every event from when it was sent to when it arrived here. */
export function Tape({ recording, ticking }: TapeProps) {
  const canvas = useRef<HTMLCanvasElement>(null)

  useEffect(() => {
    if (canvas.current === null || recording === undefined) return
    return play(canvas.current, recording)
  }, [recording])

  return (
    <figure className="tape">
      <div className="tape-screen">
        <canvas
          ref={canvas}
          className="tape-paper"
          role="img"
          aria-label="Moving chart of the last minute: a line for each event, from when the server sent it to when it arrived here"
        />
        <span className="tape-lane" style={{ top: percent(SENT_LANE) }} aria-hidden="true">
          sent
        </span>
        <span className="tape-lane" style={{ top: percent(RECEIVED_LANE) }} aria-hidden="true">
          arrived here
        </span>
      </div>
      <figcaption className="tape-legend">
        <span className="tape-key" data-kind="counter">
          count
        </span>
        <span className="tape-key" data-kind="notification">
          notification
        </span>
        <span className="tape-key" data-kind="presence">
          someone came or went
        </span>
        {ticking && (
          <span className="tape-key" data-kind="tick">
            tick
          </span>
        )}
        <span className="tape-key" data-kind="late">
          caught up after a cut
        </span>
      </figcaption>
    </figure>
  )
}

function play(canvas: HTMLCanvasElement, recording: Recording): () => void {
  const context = canvas.getContext('2d')
  if (context === null) return () => {}
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  const dark = matchMedia('(prefers-color-scheme: dark)')
  let inks = readInks(canvas)
  let drawnAt = 0
  let request = 0

  const restyle = () => {
    inks = readInks(canvas)
    drawnAt = 0
  }
  const theme = new MutationObserver(restyle)
  theme.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  dark.addEventListener('change', restyle)

  const frame = (time: number) => {
    request = requestAnimationFrame(frame)
    if (time - drawnAt < (still.matches ? 1000 : FRAME)) return
    drawnAt = time
    const { clientWidth: width, clientHeight: height } = canvas
    const scale = devicePixelRatio
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale)
      canvas.height = Math.round(height * scale)
    }
    context.setTransform(scale, 0, 0, scale, 0, 0)
    draw(context, width, height, recording, inks, Date.now())
  }
  request = requestAnimationFrame(frame)

  return () => {
    cancelAnimationFrame(request)
    theme.disconnect()
    dark.removeEventListener('change', restyle)
  }
}

function readInks(element: HTMLElement): Inks {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    grid: token('grid'),
    ink: token('ink'),
    faint: token('ink-soft'),
    pen: token('pen'),
    late: token('late'),
    paper: token('paper'),
  }
}
