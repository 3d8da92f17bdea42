// Turns that were acknowledged and are not there: several at once on one thread, and then what a reader of the thread finds.
import { wordsFrom } from '../words.ts'
import { type Contestant, characters } from './contestant.ts'

export interface Crowd {
  readonly threads: number
  /** Turns that are begun at once on each thread. */
  readonly atOnce: number
}

export interface Loss {
  /** Turns that the caller was told are done; one that was refused is not among them. */
  readonly acknowledged: number
  /** Of these, those whose message is not in the final state of the thread. */
  readonly lost: number
}

export async function lostTurns(contestant: Contestant, { threads, atOnce }: Crowd): Promise<Loss> {
  const words = wordsFrom(13)
  let acknowledged = 0
  let lost = 0
  for (let count = 0; count < threads; count++) {
    const thread = await contestant.grow('oneNode', 1)
    const texts = Array.from({ length: atOnce }, () => words(characters))
    const turns = await Promise.allSettled(
      texts.map(async (text) => {
        const { afterwards } = await contestant.turn('oneNode', thread, text)
        await afterwards
      }),
    )
    const told = texts.filter((_, index) => turns[index]?.status === 'fulfilled')
    const kept = new Set(await contestant.read('oneNode', thread))
    acknowledged += told.length
    lost += told.filter((text) => !kept.has(text)).length
  }
  return { acknowledged, lost }
}
