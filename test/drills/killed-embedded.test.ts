import { rm } from 'node:fs/promises'
import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { child } from '../database/child.ts'
import { silent as log, temporaryDirectory } from '../support/database.ts'

t.test('kill -9 while writing loses nothing that was acknowledged', async t => {
  const dataDir = await temporaryDirectory(t)
  let stored = 0
  for (const rows of [5, 60]) {
    await rm(dataDir, { recursive: true, force: true })
    const writer = child(t, 'insert-until-killed.js', [dataDir])
    await writer.says(`stored ${rows}`)
    await writer.kill()
    stored = Math.max(...[...writer.output().matchAll(/^stored (\d+)$/gm)].map(([, number]) => Number(number)))

    const database = await openDatabase({ dataDir, log })
    const names = new Set((await database.prisma.user.findMany()).map(({ email }) => email))
    const missing = Array.from({ length: stored }, (_, index) => `${index + 1}@example.com`).filter(email => !names.has(email))
    t.same(missing, [], `all of ${stored} rows are there`)
    await database.close()
  }
})
