// The one suite for every checkpointer: the same outcomes, whatever it is made of.
import { afterAll, beforeAll, describe } from 'vitest'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { approvals } from './checkpointer/approvals.ts'
import { cancellation } from './checkpointer/cancellation.ts'
import { chains } from './checkpointer/chains.ts'
import { claims } from './checkpointer/claims.ts'
import { commits } from './checkpointer/commits.ts'
import { hostile } from './checkpointer/hostile.ts'
import { keys } from './checkpointer/keys.ts'
import { line } from './checkpointer/line.ts'
import { outbox } from './checkpointer/outbox.ts'
import { records } from './checkpointer/records.ts'
import { retention } from './checkpointer/retention.ts'
import { savedTasks } from './checkpointer/saved-tasks.ts'
import { steps } from './checkpointer/steps.ts'
import { strategies } from './checkpointer/strategies.ts'
import { withdrawals } from './checkpointer/withdrawals.ts'
import type { Later } from './later.ts'

export interface Made {
  readonly checkpointer: Checkpointer
  readonly later: Later
  close(): Promise<void>
}

export function checkpointerContract(name: string, make: () => Promise<Made>) {
  describe(`${name} keeps the checkpointer contract`, () => {
    let made: Made | undefined
    beforeAll(async () => {
      made = await make()
    })
    afterAll(() => made?.close())
    const subject = () => {
      if (made === undefined) throw new Error('The checkpointer of this suite was not made.')
      return made.checkpointer
    }
    const later: Later = async (...time) => made?.later(...time)
    describe('claims', () => claims(subject))
    describe('keys', () => keys(subject))
    describe('the line', () => line(subject, later))
    describe('strategies', () => strategies(subject))
    describe('commits', () => commits(subject))
    describe('saved tasks', () => savedTasks(subject))
    describe('cancellation', () => cancellation(subject))
    describe('approvals', () => approvals(subject))
    describe('withdrawals', () => withdrawals(subject, later))
    describe('the outbox', () => outbox(subject, later))
    describe('retention', () => retention(subject, later))
    describe('chains', () => chains(subject))
    describe('steps', () => steps(subject))
    describe('records', () => records(subject, later))
    describe('hostile text', () => hostile(subject))
  })
}
