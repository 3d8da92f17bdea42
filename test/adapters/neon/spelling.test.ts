// Postgres compares words as the other stores do, in any script. (Burmese but for its parser: to it no word begins with a mark.)
import { afterAll, beforeAll, expect, test } from 'vitest'
import { spelledWords } from '../../../src/kernel/words.ts'
import { type NeonDatabase, pgliteDatabase } from '../../contract/neon-database.ts'

let database: NeonDatabase

beforeAll(async () => {
  database = await pgliteDatabase()
})

afterAll(() => database?.close())

test.each([
  '他喜欢绿茶，住在北京市。茶 𠮷野家',
  '東京のデータセンターにデプロイします・大阪',
  '서울에서 쿠버네티스를 배포합니다',
  'เขาชอบชาเขียว ຊາຂຽວ តែបៃតង',
  'Любит чёрный чай и йогурт',
  'Grünkohl aus der HAUPTSTRASSE und der Hauptstraße, Œuvre, Ærø, Łódź, Đà Nẵng, Diyarbakır, İzmir',
  'Va à l’école à vélo, Ça alors',
  'ＡＢＣ１２３ ﬁne ½ ｶﾀｶﾅ',
  '用Kubernetes部署服务v2',
])('%s', async (text) => {
  const [row] = await database.sql.query(
    `select tsvector_to_array(to_tsvector('simple', recollect.spelled_v1($1))) as words`,
    [text],
  )
  expect(row?.words).toEqual([...new Set(spelledWords(text))].toSorted())
})
