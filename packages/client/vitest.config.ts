import { configDefaults } from 'vitest/config'
import { project } from '../../vitest.base.ts'

export default project('client', { exclude: [...configDefaults.exclude, 'test/browser/**'] })
