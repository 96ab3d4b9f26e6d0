import type { ErrorRequestHandler } from 'express'
import { z } from 'zod'

/** Tells what is wrong with a request that cannot be understood. */
export const refuse: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) next(error)
  else if (error instanceof z.ZodError) {
    response.status(400).json({ message: error.issues[0]?.message ?? 'This request cannot be understood.' })
  } else if (error instanceof SyntaxError) response.status(400).json({ message: 'The body is not JSON.' })
  else next(error)
}
