export type { MockEndpoint, Refusal } from './mock-endpoint.ts'
export { createMockTransport, type MockTransport, type MockTransportOptions } from './mock-transport.ts'
