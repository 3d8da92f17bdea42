// The client of a load measurement: which turns it counts.
import { createServer, type RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { converse } from '../../bench/load.ts'
import { freePort } from '../../local/free-port.ts'

async function loaded(listener: RequestListener, threads = 2) {
  const port = await freePort()
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const load = { base: `http://127.0.0.1:${port}`, token: 't', threads, warmUpMs: 100, measuredMs: 300 }
  let warmed = 0
  const measured = () => {
    warmed = 0
    return converse(load, () => warmed++)
  }
  let result = await measured()
  // While a machine stands still nothing ends that could be counted.
  while (result.turnMs.length + result.failures.length === 0) result = await measured()
  server.closeAllConnections()
  server.close()
  expect(warmed).toBe(1)
  return result
}

const told = (text: string) => `data: {"type":"${text}"}\n\n`

test('a turn is as long as its stream, and its first token is earlier', async () => {
  const { turnMs, firstTokenMs, failures } = await loaded((_, response) => {
    response.write(told('start'))
    setTimeout(() => response.write(told('text-delta')), 20)
    setTimeout(() => response.end(told('finish')), 60)
  })
  expect(failures).toEqual([])
  expect(turnMs.length).toBeGreaterThan(0)
  expect(firstTokenMs).toHaveLength(turnMs.length)
  expect(Math.min(...turnMs)).toBeGreaterThanOrEqual(59)
  for (const [index, ms] of firstTokenMs.entries()) expect(ms).toBeLessThan(turnMs[index] ?? 0)
})

test('a turn that failed, that broke off or that was refused is none', async () => {
  const answers = [told('text-delta') + told('error'), told('text-delta'), told('finish'), '{"code":"thread_busy"}']
  for (const answer of answers) {
    const { turnMs, failures } = await loaded((_, response) => setTimeout(() => response.end(answer), 20))
    expect(turnMs).toEqual([])
    expect(failures[0]).toBe(`200 ${answer}`)
  }
})

test('there are as many requests at once as threads, each thread one after the other', async () => {
  let open = 0
  let most = 0
  await loaded((_, response) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      response.end(told('text-delta') + told('finish'))
    }, 20)
  }, 5)
  expect(most).toBe(5)
})
