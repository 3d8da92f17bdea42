// What must and must not compile where an agent is made, and where a mistake is told. Checked by `tsc`; nothing here runs.
import { agent } from '../../src/index.ts'

agent({
  recall: {
    // @ts-expect-error an unknown option is told where it stands
    limits: 3,
  },
})
agent({
  recall: true,
  trim: {
    turns: 6,
    // @ts-expect-error so it is in a summary
    summary: { token: 3 },
  },
})
agent({
  // @ts-expect-error and what is an option of nothing
  memories: true,
})

// Settings decide, and types do not know how: the messages are there in any case.
declare const recall: boolean
agent({ recall }).compile().invoke({ messages: [] })
agent({ recall: false })
