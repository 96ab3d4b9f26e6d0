export { type ConnectOptions, connect } from './connect.ts'
export { stopServing, type Target } from './serve.ts'
export { TestStream } from './test-stream.ts'
