type Primitive = string | number | boolean | null

/** What `JSON.stringify` loses, empties or refuses. */
type Uncarried =
  | bigint
  | symbol
  | undefined
  | ((...args: never) => unknown)
  | { toJSON(...args: never): unknown }
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakKeyHolder
  | ArrayBufferLike
  | ArrayBufferView
  | RegExp
  | Error
  | PromiseLike<unknown>

type WeakKeyHolder = WeakMap<WeakKey, unknown> | WeakSet<WeakKey>

/**
 * `T` where JSON carries it unchanged, `never` (at the place that is at fault) where it does not: `Date`, `Map`, `Set`,
 * `bigint`, functions, class instances with methods, `undefined` in arrays. An optional property may be `undefined`.
 *
 * @see https://tc39.es/ecma262/#sec-json.stringify
 */
export type Jsonable<T> = unknown extends T
  ? T
  : T extends Primitive
    ? T
    : T extends Uncarried
      ? never
      : T extends readonly unknown[]
        ? { [K in keyof T]: Jsonable<T[K]> }
        : { [K in keyof T]: Jsonable<Exclude<T[K], undefined>> | Extract<T[K], undefined> }
