import { describeConnection } from '../suites/connection.ts'
import { describeRequest } from '../suites/standard-request.ts'
import { describeStream } from '../suites/standard-stream.ts'
import { serveThere } from './serve-there.ts'

describeStream(serveThere)
describeRequest(serveThere)
describeConnection(serveThere)
