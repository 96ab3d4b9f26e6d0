import { describeConnection } from './suites/connection.ts'
import { serveHere } from './suites/serve-here.ts'

describeConnection(serveHere)
