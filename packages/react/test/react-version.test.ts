import { version } from 'react'
import { version as domVersion } from 'react-dom'
import { expect, it } from 'vitest'

it('runs on the React that the project is named after', ({ task }) => {
  const [major] = version.split('.')
  expect(task.file.projectName?.startsWith(`react-${major}`)).toBe(true)
  expect(domVersion).toBe(version)
})
