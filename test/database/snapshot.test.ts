import { stat } from 'node:fs/promises'
import t from 'tap'
import { readSnapshot, snapshotFile } from '../../src/database/embedded/snapshot.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { silent, temporaryDirectory } from '../support/database.ts'
import { child } from './child.ts'

t.test('the build\'s snapshot is made once per state, and a first start from it has nothing left to migrate', async t => {
  t.equal(await child(t, '../../../scripts/make-snapshot.js', []).exit, 0)
  const made = await stat(await snapshotFile())
  t.ok((await readSnapshot())?.size, 'it can be read')
  t.equal(await child(t, '../../../scripts/make-snapshot.js', []).exit, 0)
  t.equal((await stat(await snapshotFile())).mtimeMs, made.mtimeMs, 'a second build leaves it alone')

  const dataDir = await temporaryDirectory(t)
  const database = await openDatabase({ dataDir, log: silent })
  t.same(database.migrated, [])
  t.equal(await database.prisma.user.count(), 0)
  await database.close()
})
