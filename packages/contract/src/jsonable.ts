/** What JSON is. Recursive types of their own (`type Json = … | Json[]`) are told by it, as they have no end to be looked through. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }

/** What `JSON.stringify` loses, empties or refuses. */
type Uncarried =
  | bigint
  | symbol
  // biome-ignore lint/suspicious/noConfusingVoidType: undefined, and what is declared to be nothing
  | void
  | ((...args: never) => unknown)
  | { toJSON(...args: never): unknown }
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakKeyHolder
  | ArrayBufferLike
  | ArrayBufferView
  | RegExp
  | PromiseLike<unknown>

/** An `Error`; not `{ name, message }`, which would pass for one but for this key. */
type ErrorLike<T> = 'stack' extends keyof T ? Error : never

type WeakKeyHolder = WeakMap<WeakKey, unknown> | WeakSet<WeakKey>

/**
 * `T` where JSON carries it unchanged, `never` (at the place that is at fault) where it does not: `Date`, `Map`, `Set`,
 * `bigint`, functions, class instances with methods, `undefined` in arrays. An optional property may be `undefined`.
 *
 * @see https://tc39.es/ecma262/#sec-json.stringify
 */
export type Jsonable<T> = unknown extends T
  ? T
  : T extends Json
    ? T
    : T extends Uncarried | ErrorLike<T>
      ? never
      : T extends readonly unknown[]
        ? { [K in keyof T]: Jsonable<T[K]> }
        : { [K in keyof T]: Jsonable<Exclude<T[K], undefined>> | Extract<T[K], undefined> }
