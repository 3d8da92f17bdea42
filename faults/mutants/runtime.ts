// Guards of the runtime: what a worker believes, tells, and sends again.
import type { Mutant } from './mutant.ts'

const runtime = (name: string, tests: string) => ({
  file: `src/runtime/${name}.ts`,
  tests: `test/runtime/${tests}.test.ts`,
})

export const runtimeGuards: readonly Mutant[] = [
  {
    ...{ guard: 'T2 hash of a cached state', ...runtime('claim', 'cache') },
    ...{ find: 'candidate.seq === head && candidate.hash === hash', replace: 'candidate.seq === head' },
    killedBy: ["that holds another thread's state", "that holds another thread's last turn"],
  },
  {
    ...{ guard: 'T2 number of a cached state', ...runtime('claim', 'cache') },
    ...{ find: 'candidate.seq === head && candidate.hash === hash', replace: 'candidate.hash === hash' },
    killedBy: ['that is ahead'],
    redundant: 'The hash covers all that came before, so that of another checkpoint of the thread is another.',
  },
  {
    ...{ guard: 'a guess is about this run', ...runtime('claim', 'speculation') },
    ...{ find: 'run === request.run?.id && step === 0', replace: 'step === 0' },
    killedBy: ['a guess is thrown away when an older run comes first'],
  },
  {
    ...{ guard: 'a guess is about the first step', ...runtime('claim', 'speculation') },
    ...{ find: ' && step === 0 && input !== null', replace: ' && input !== null' },
    killedBy: ['a guess on a state that is'],
    redundant: 'Whoever has committed a step has dropped its input, and the guess is refused for want of it.',
  },
  {
    ...{ guard: 'a guess takes in its own input only', ...runtime('claim', 'strategies') },
    ...{ find: ' && carried.length === 0', replace: '' },
    killedBy: ['three in a row and one in line'],
  },
  {
    ...{ guard: 'a guess fits the head', ...runtime('claim', 'speculation') },
    ...{ find: 'return thisRun && candidate !== undefined && isHead(candidate, claim)', replace: 'return thisRun' },
    killedBy: ['a guess on a state that is behind is thrown away'],
  },
  {
    ...{ guard: 'T7 a guess tells nothing', ...runtime('speculation', 'speculation') },
    ...{ find: '...place, ...waiting.scope,', replace: '...place, ...waiting.scope, emit: request.emit,' },
    killedBy: ['T7 what a node that runs ahead emits'],
  },
  {
    ...{ guard: 'only what is pure runs ahead', ...runtime('speculation', 'speculation') },
    ...{ find: ' || !tasks.every(({ node }) => node.pure === true)', replace: '' },
    killedBy: ['when a node that is due is not pure'],
  },
  {
    ...{ guard: 'what has effects waits for the commit before it', ...runtime('advance', 'during-commit') },
    ...{ find: ' && isPure(graph, position)', replace: '' },
    killedBy: ['one with effects begins when the commit is there'],
  },
  {
    ...{ guard: 'nothing is told before the commit before it', ...runtime('advance', 'during-commit') },
    ...{
      find: 'run({ ...scope, ...waiting.scope })',
      replace: 'run({ ...scope, ...waiting.scope, emit: scope.emit })',
    },
    killedBy: ['it has begun, and nothing of it is told', 'when the commit is refused it is aborted'],
  },
  {
    ...{ guard: 'no part is saved before the commit before it', ...runtime('advance', 'during-commit') },
    ...{
      find: 'run({ ...scope, ...waiting.scope })',
      replace: 'run({ ...scope, ...waiting.scope, held: scope.held })',
    },
    killedBy: ['a part of it is saved behind the commit'],
  },
  {
    ...{ guard: 'T8 a commit is sent again', ...runtime('thread-progress', 'faults') },
    ...{
      find: 'await resend(() => this.#checkpointer.commitStep(commit), commitPatienceMs).catch(',
      replace: 'await this.#checkpointer.commitStep(commit).catch(',
    },
    killedBy: ['of commitStep changes nothing'],
  },
  {
    ...{ guard: 'T8 a claim is sent again', ...runtime('turn', 'faults') },
    ...{
      find: 'await resend(() => house.checkpointer.beginTurn(begin), claimPatienceMs).catch(',
      replace: 'await house.checkpointer.beginTurn(begin).catch(',
    },
    killedBy: ['of beginTurn changes nothing'],
  },
  {
    ...{ guard: 'T8 nothing is said after a commit of unknown fate', ...runtime('thread-progress', 'faults') },
    ...{ find: "failure.code === 'run_fenced' || !this.#sure", replace: "failure.code === 'run_fenced'" },
    killedBy: ['T8 of a commit, for good, leaves the run due'],
  },
  {
    ...{ guard: 'T1 a fenced commit is no commit', ...runtime('thread-progress', 'workers-gone') },
    ...{ find: "if (outcome.outcome === 'fenced') throw", replace: 'if (false) throw' },
    killedBy: ['T1 cannot commit'],
  },
  {
    ...{ guard: 'a renewal that is refused ends the work', ...runtime('lease', 'workers-gone') },
    ...{ find: "if (outcome !== 'held') aborting", replace: 'if (false) aborting' },
    killedBy: ['learns it from its renewal'],
  },
  {
    ...{ guard: 'a claim of unknown fate is taken back', ...runtime('turn', 'faults') },
    ...{ find: 'if (isUnknownOutcome(error) && request.run) request.defer(', replace: 'if (false) request.defer(' },
    killedBy: ['of the claim, for good, is told as unknown, and has not happened'],
  },
  {
    ...{ guard: 'T7 epoch in ids of messages', ...runtime('task-context', 'speculation') },
    ...{ find: 'isHeld(held) ? idWith(held.epoch) : held.then(({ epoch }) => idWith(epoch))', replace: 'idWith(0)' },
    killedBy: ['ids are as without it: they have the epoch of the claim'],
  },
  {
    ...{ guard: 'what a node says after its time', ...runtime('task-context', 'node') },
    ...{
      find: 'emit: (event) => (this.#closed || silent ? undefined : this.#scope.emit(event)),',
      replace: 'emit: (event) => (silent ? undefined : this.#scope.emit(event)),',
    },
    killedBy: ['that is out of time tells no more'],
  },
  {
    ...{ guard: 'T5 siblings run to their end', ...runtime('superstep', 'superstep') },
    ...{
      find: 'const results = await Promise.all(tasks.map((task) => settled(graph, task, superstep, scope)))',
      replace: 'const results = [await Promise.race(tasks.map((task) => settled(graph, task, superstep, scope)))]',
    },
    killedBy: ['T5 all finish before the first failure'],
  },
  {
    ...{ guard: 'T5 what finished is not run again', ...runtime('thread-progress', 'parts') },
    ...{ find: 'this.#finished = finished.flatMap(savedTask)', replace: 'this.#finished = []' },
    killedBy: ['is not run again when the run is continued'],
  },
  {
    ...{ guard: 'T6 a part is made once', ...runtime('task-parts', 'parts') },
    ...{ find: 'if (known !== undefined) return decode(await known)', replace: '' },
    killedBy: ['is made once'],
  },
  {
    ...{ guard: 'T6 a part of a lost claim is kept nowhere', ...runtime('turn', 'parts') },
    ...{
      find: "if (kept === undefined) throw lost(ref, 'fenced')",
      replace: 'if (kept === undefined) return part.value',
    },
    killedBy: ['T2 of whoever has lost the thread is kept nowhere'],
  },
  {
    ...{ guard: 'a cache that holds more than the thread', ...runtime('thread-cache', 'cache') },
    ...{ find: ' || surpasses(candidate.position, position)', replace: '' },
    killedBy: ['of a deleted thread gives nothing of it to a new one', 'of a deleted thread that was shorter'],
  },
  {
    ...{ guard: 'a cancelled run is ended, not run', ...runtime('turn', 'cancel') },
    ...{ find: 'if (claim.cancelled) throw cancelled()', replace: '' },
    killedBy: ['by a worker that is lost before it has ended it', 'is stopped by its next renewal'],
  },
  {
    ...{ guard: 'T8 a message has one id', ...runtime('thread-progress', 'outbox') },
    find: 'sent.map(({ topic, payload }, index) => ({',
    replace: 'sent.map((message) => ({ ...message, index: Math.random() })).map(({ topic, payload, index }) => ({',
    killedBy: ['is delivered after the answer, each once, under ids'],
  },
  {
    ...{ guard: 'whoever follows believes the record', ...runtime('follow', 'follow') },
    ...{ find: " || error.code === 'storage_unavailable'", replace: '' },
    killedBy: ['a run whose commit nobody answered is not said to have failed'],
  },
]
