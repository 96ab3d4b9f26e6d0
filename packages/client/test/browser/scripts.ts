import { text } from 'node:stream/consumers'
import { Router } from 'express'
import { type Answering, createAnswering } from '../suites/answering.ts'

/** Endpoints that answer as a page asks them to. */
export function createScripts(): Router {
  const scripts = new Map<string, Answering>()
  const router = Router()
  router.post('/scripts', async (req, res) => {
    const id = String(scripts.size + 1)
    scripts.set(id, createAnswering(JSON.parse(await text(req))))
    res.send(id)
  })
  router.get('/scripts/:id', (req, res) => {
    res.json(scripts.get(req.params.id)?.seen())
  })
  router.post('/scripts/:id/cut', (req, res) => {
    scripts.get(req.params.id)?.cut()
    res.sendStatus(202)
  })
  router.all('/scripts/:id/:path', (req, res) => scripts.get(req.params.id)?.listener(req, res))
  return router
}
