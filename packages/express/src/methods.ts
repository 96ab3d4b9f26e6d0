import { ServerResponse } from 'node:http'

/** The methods of Node that send the head and the body, each with a part of its source. */
const MARKS: Readonly<Record<string, string>> = {
  _implicitHeader: 'this.writeHead(this.statusCode)',
  _send: 'this._writeRaw(data',
  _storeHeader: 'processHeader(this',
  _writeRaw: 'this.outputData.push(',
  end: 'this._implicitHeader()',
  flushHeaders: 'this._implicitHeader()',
  setHeader: 'kOutHeaders',
  write: 'write_(this',
  writeHead: 'this._storeHeader(',
}

/** These methods, as they were when this module was loaded. */
export const METHODS: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.keys(MARKS).map((name) => [name, Reflect.get(ServerResponse.prototype, name)]),
)

let ofNode: boolean | undefined

/** Whether they are Node's own, so that none was replaced before this module was loaded. */
export function areOfNode(): boolean {
  ofNode ??= Object.entries(MARKS).every(([name, mark]) => isOfNode(METHODS[name], mark))
  return ofNode
}

/** A wrapper may show the source of the function that it replaces, but needs another property to do so. */
const isOfNode = (method: unknown, mark: string): boolean =>
  typeof method === 'function' &&
  String(method).includes(mark) &&
  Reflect.ownKeys(method).map(String).join() === 'length,name,prototype'

/** The methods that send the body. */
const BODY = ['write', 'end', '_send', '_writeRaw']

/** Whether no wrapper sees what is written to a response. */
export const isUnheard = (response: ServerResponse): boolean =>
  areOfNode() && BODY.every((name) => Reflect.get(response, name) === METHODS[name])
