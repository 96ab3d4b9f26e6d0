import { serveHere } from './suites/serve-here.ts'
import { describeRequest } from './suites/standard-request.ts'
import { describeStream } from './suites/standard-stream.ts'

describeStream(serveHere)
describeRequest(serveHere)
