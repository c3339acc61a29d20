/** What is there at once or later. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value, at once if it is there: a promise for it would cost an answer a tenth of its time. */
export function whenThere<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
