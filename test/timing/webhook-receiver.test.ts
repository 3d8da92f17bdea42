// A turn does not wait for whoever is told of it.
import { expect, test } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { arrived, house, place, receiving } from '../webhooks/house.ts'

test('a turn does not wait for a receiver that hangs, and neither do other endpoints', async () => {
  const { office, app } = house(memoryCheckpointer())
  const at = place()
  const [stuck, well] = [await receiving('hang'), await receiving()]
  const { endpoint } = await office.createEndpoint(at.tenant, { url: stuck.url, events: ['run.finished'] })
  await office.createEndpoint(at.tenant, { url: well.url, events: ['run.finished'] })
  for (const log of ['quiet', 'quiet', 'quiet']) {
    const startedAt = performance.now()
    await app.invoke({ log }, at)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  }
  await arrived(well, 3)
  await arrived(stuck, 3)
  // None of those that hang was given up meanwhile: nobody has waited for them.
  const key = { tenant: at.tenant, id: endpoint.id }
  expect(await office.store.deliveries(key, { limit: 9, offset: 0 })).toEqual([])
})
