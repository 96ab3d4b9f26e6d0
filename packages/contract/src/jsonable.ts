/** Any JSON value. It recognises recursive types (`type Json = … | Json[]`), which cannot be checked part by part without end. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }

/** What `JSON.stringify` loses, empties or refuses. */
type Uncarried =
  | bigint
  | symbol
  // biome-ignore lint/suspicious/noConfusingVoidType: undefined, and types that are declared as void
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

/** An `Error`, told by its `stack`: without that, `{ name, message }` would pass for one. */
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
