import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// Real connections are waited for, with real backoff.
configure({ asyncUtilTimeout: 10_000 })
afterEach(cleanup)
