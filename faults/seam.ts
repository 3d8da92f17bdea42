// The one seam: every call of a port, and every part of a stream that one gives, goes through `io(name, call)`.

/** `name` says which port and method, such as `postgres.commitStep`. */
export type Io = <Result>(name: string, call: () => Promise<Result>) => Promise<Result>

/**
 * `port` with every method behind `io`, also those of the records in it. Nothing lists them: a method that is new to a port
 * is a new point to break. A method that streams must be an async generator; each of its parts is a call.
 */
export function through<Port extends object>(port: Port, name: string, io: Io): Port {
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property)
      if (typeof property === 'symbol') return member
      const path = `${name}.${property}`
      if (typeof member === 'object' && member !== null && !Array.isArray(member)) return through(member, path, io)
      if (typeof member !== 'function') return member
      const call = (parameters: unknown[]): unknown => Reflect.apply(member, target, parameters)
      if (streams(member)) return (...parameters: unknown[]) => parts(call(parameters), path, io)
      return (...parameters: unknown[]) => io(path, async () => call(parameters))
    },
  })
}

function streams(method: object): boolean {
  return Object.prototype.toString.call(method) === '[object AsyncGeneratorFunction]'
}

function parts(stream: unknown, path: string, io: Io): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      return {
        next: () => io(path, () => iterator.next()),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }
    },
  }
}
