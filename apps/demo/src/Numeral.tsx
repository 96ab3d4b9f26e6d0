const WIDTH = 60
const HEIGHT = 100
const GAP = 20

/** One stroke each, as a pen would draw it. */
const strokes: Readonly<Record<string, string>> = {
  '0': 'M30 5C48 5 55 25 55 50 55 75 48 95 30 95 12 95 5 75 5 50 5 25 12 5 30 5',
  '1': 'M14 24 36 5V95',
  '2': 'M7 29C7 14 17 5 30 5 44 5 53 15 53 29 53 44 40 54 27 68L6 95H55',
  '3': 'M8 5H52L28 40C45 39 55 50 55 66 55 84 44 95 29 95 16 95 8 88 5 78',
  '4': 'M41 95V5L5 69H57',
  '5': 'M50 5H14L10 46C15 39 22 36 30 36 45 36 55 48 55 65 55 83 44 95 29 95 17 95 8 88 5 78',
  '6': 'M46 6C22 22 5 44 5 66 5 84 15 95 30 95 45 95 55 84 55 67 55 51 45 41 31 41 18 41 8 50 5.5 62',
  '7': 'M5 5H55L24 95',
  '8': 'M30 47C17 47 9 38 9 26 9 13 18 5 30 5 42 5 51 13 51 26 51 38 43 47 30 47 15 47 5 57 5 71 5 86 15 95 30 95 45 95 55 86 55 71 55 57 45 47 30 47',
  '9': 'M14 94C38 78 55 56 55 34 55 16 45 5 30 5 15 5 5 16 5 33 5 49 15 59 29 59 42 59 52 50 54.5 38',
  '-': 'M14 50H46',
}

/** A number drawn as by a plotter: the digits that change are drawn again. */
export function Numeral({ value }: { value: number }) {
  const digits = [...String(value)]
  const width = digits.length * (WIDTH + GAP) - GAP
  return (
    <svg className="numeral" viewBox={`-6 -6 ${width + 12} ${HEIGHT + 12}`} aria-hidden="true">
      {digits.map((digit, index) => {
        // Counted from the right, so that a new leading digit does not redraw the others.
        const place = digits.length - index
        return (
          <path
            key={`${place}:${digit}`}
            className="numeral-stroke"
            d={strokes[digit]}
            pathLength={1}
            transform={`translate(${index * (WIDTH + GAP)} 0)`}
          />
        )
      })}
    </svg>
  )
}
