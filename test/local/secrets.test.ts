// The local stack's secrets, kept beside its data.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { localSecrets } from '../../local/secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('they are made once, each another', async () => {
  const secrets = await localSecrets(folder)
  expect(new Set(Object.values(secrets)).size).toBe(6)
  expect(await localSecrets(folder)).toEqual(secrets)
})

it('a folder of an earlier version keeps what it has, and gets the rest once', async () => {
  const before = { auth: 'a', cache: 'c', database: 'd', redis: 'r' }
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify(before))
  const secrets = await localSecrets(folder)
  const made = expect.stringMatching(/^.{43}$/)
  expect(secrets).toEqual({ ...before, vector: made, webhooks: made })
  expect(await localSecrets(folder)).toEqual(secrets)
})

it('a damaged file is not written over', async () => {
  writeFileSync(join(folder, 'secrets.json'), '{')
  await expect(localSecrets(folder)).rejects.toThrow('is damaged. Delete it')
})
