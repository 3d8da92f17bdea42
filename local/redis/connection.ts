// Commands about the connection and the clock.
import { type Commands, reads } from './command.ts'
import { Status, wrongArity } from './reply.ts'

export const connectionCommands: Commands = {
  PING: reads(-1, (_, message, ...rest) => {
    if (rest.length > 0) throw wrongArity('ping')
    return message ?? new Status('PONG')
  }),
  ECHO: reads(2, (_, message) => message),
  TIME: reads(1, ({ now }) => [String(Math.floor(now / 1000)), String((now % 1000) * 1000)]),
}
