export type { MockEndpoint, MockTransport, MockTransportOptions, Refusal } from '@sse/client/testing'
export { createMockTransport } from './mock-transport.ts'
