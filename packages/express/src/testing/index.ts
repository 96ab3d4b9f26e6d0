export { type ConnectOptions, connect } from './connect.ts'
export { serve, stopServing, type Target } from './serve.ts'
export { TestStream } from './test-stream.ts'
