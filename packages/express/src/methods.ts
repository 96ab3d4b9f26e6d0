import { ServerResponse } from 'node:http'

/** The methods of Node by which a head and what follows it are sent, and what stands in the source of each. */
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

/** Those methods, as they were when this was loaded. */
export const METHODS: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.keys(MARKS).map((name) => [name, Reflect.get(ServerResponse.prototype, name)]),
)

let ofNode: boolean | undefined

/** Whether they were Node's own, and not those of somebody who replaced one before this was loaded. */
export function areOfNode(): boolean {
  ofNode ??= Object.entries(MARKS).every(([name, mark]) => isOfNode(METHODS[name], mark))
  return ofNode
}

/** Who replaces a function may give it the source of the former one to show, but has to keep that somewhere. */
const isOfNode = (method: unknown, mark: string): boolean =>
  typeof method === 'function' &&
  String(method).includes(mark) &&
  Reflect.ownKeys(method).map(String).join() === 'length,name,prototype'

/** Those by which a body is sent. */
const BODY = ['write', 'end', '_send', '_writeRaw']

/** Whether nobody wants to hear of what is written to a response. */
export const isUnheard = (response: ServerResponse): boolean =>
  areOfNode() && BODY.every((name) => Reflect.get(response, name) === METHODS[name])
