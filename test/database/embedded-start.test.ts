import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { copyOfCluster } from '../support/cluster-template.ts'
import { silent, temporaryDirectory } from '../support/database.ts'
import { child } from './child.ts'

const log = silent

t.test('a first start creates the directory, readable by its owner only, and a second finds its rows', async t => {
  const dataDir = join(await temporaryDirectory(t), 'not', 'yet', 'there')
  const first = await openDatabase({ dataDir, log })
  const { id } = await first.prisma.user.create({ data: { id: crypto.randomUUID(), email: 'a@example.com' } })
  await first.close()
  t.equal((await stat(dataDir)).mode & 0o777, 0o700)
  t.equal((await stat(join(dataDir, 'postgres'))).mode & 0o777, 0o700)

  const second = await openDatabase({ dataDir, log })
  t.same(second.migrated, [], 'nothing is left to migrate')
  t.match(await second.prisma.user.findUnique({ where: { id } }), { email: 'a@example.com' })
  await second.close()
  await second.close()
})

t.test('the engine gets buffers of the configured size on every start', async t => {
  const dataDir = await temporaryDirectory(t)
  for (let start = 0; start < 2; start++) {
    const database = await openDatabase({ dataDir, log })
    t.same(await database.query({ name: 'test.buffers', text: 'SHOW shared_buffers' }, []), [{ shared_buffers: '16MB' }])
    await database.close()
  }
})

t.test('an interrupted first start begins again', async t => {
  const dataDir = await temporaryDirectory(t)
  await mkdir(join(dataDir, 'postgres', 'base'), { recursive: true })
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '18\n')
  await writeFile(join(dataDir, 'postgres.unfinished'), '')
  const database = await openDatabase({ dataDir, log })
  t.equal(await database.prisma.user.count(), 0)
  await database.close()
  t.notOk((await readdir(dataDir)).includes('postgres.unfinished'))
})

t.test('of two processes on one directory exactly one opens it, and the other names it', async t => {
  const dataDir = await temporaryDirectory(t)
  const both = [child(t, 'open-and-hold.js', [dataDir]), child(t, 'open-and-hold.js', [dataDir])]
  const outcomes = await Promise.all(both.map(one => Promise.any([one.says('opened'), one.says('refused')])))
  t.equal(outcomes.filter(outcome => outcome === 'opened').length, 1, outcomes.join(' / '))
  t.equal(outcomes.filter(outcome => /^refused data_dir_in_use .*in use by process \d+\.$/.test(outcome)).length, 1)

  await Promise.all(both.map(one => one.kill()))
  const heir = await openDatabase({ dataDir, log })
  t.equal(await heir.prisma.user.count(), 0, 'the killed holder leaves a directory that opens')
  await heir.close()
})

t.test('a damaged cluster is refused in one sentence and left as it is', async t => {
  const dataDir = await copyOfCluster(t)
  const control = join(dataDir, 'postgres', 'global', 'pg_control')
  await writeFile(control, Buffer.alloc(8192, 7))

  await t.rejects(openDatabase({ dataDir, log }), {
    name: 'DatabaseStartError',
    code: 'embedded_damaged',
    message: /^The embedded database in .* is damaged and cannot be opened: [^\n]{1,100}$/
  })
  t.same(await readFile(control), Buffer.alloc(8192, 7))
  t.same(await readdir(join(dataDir, 'lock')), [], 'the directory is not left locked')

  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n')
  await t.rejects(openDatabase({ dataDir, log }), { code: 'embedded_damaged', message: /made by PostgreSQL 17, and this version runs 18/ })
  await rm(join(dataDir, 'postgres', 'PG_VERSION'))
  await t.rejects(openDatabase({ dataDir, log }), { code: 'embedded_damaged' })
})

t.test('damage found by the first query is reported in the same sentence', async t => {
  const dataDir = await copyOfCluster(t)
  const database = await openDatabase({ dataDir, log })
  const [{ path } = { path: '' }] = await database.query<{ path: string }>({ name: 'path', text: "SELECT pg_relation_filepath('_prisma_migrations') AS path" }, [])
  await database.close()
  await writeFile(join(dataDir, 'postgres', path), Buffer.alloc(8192, 7))

  await t.rejects(openDatabase({ dataDir, log }), { name: 'DatabaseStartError', code: 'embedded_damaged', message: /^The embedded database in [^\n]* is damaged and cannot be opened: [^\n]{1,100}$/ })
  t.same(await readdir(join(dataDir, 'lock')), [], 'the directory is not left locked')
})

t.test('a data directory that is not a directory is refused', async t => {
  const file = join(await temporaryDirectory(t), 'file')
  await writeFile(file, 'mine')
  for (const dataDir of [file, join(file, 'below')]) {
    await t.rejects(openDatabase({ dataDir, log }), {
      code: 'data_dir_unusable', message: `The data directory ${dataDir} is not a directory.`
    })
  }
  t.equal(await readFile(file, 'utf8'), 'mine')
  await t.rejects(openDatabase({ dataDir: '/proc/countersign', log }), { code: 'data_dir_unusable' })
})

t.test('a data directory that others may write to is refused, and so is a link within it', async t => {
  const dataDir = await temporaryDirectory(t)
  await chmod(dataDir, 0o777)
  await t.rejects(openDatabase({ dataDir, log }), {
    code: 'data_dir_unusable', message: `The data directory ${dataDir} may be written to by others than its owner (its mode is 777): chmod go-w it, or name a directory below it.`
  })
  t.same(await readdir(dataDir), [], 'nothing is written')
  await chmod(dataDir, 0o700)

  const elsewhere = await temporaryDirectory(t)
  for (const part of ['lock', 'postgres']) {
    await symlink(elsewhere, join(dataDir, part))
    await t.rejects(openDatabase({ dataDir, log }), { code: 'data_dir_unusable', message: `The directory ${join(dataDir, part)} is a symbolic link, which is not followed.` })
    await rm(join(dataDir, part))
  }
  t.same(await readdir(elsewhere), [], 'nothing is written at its other end')
})

t.test('a file in the way of a marker is not written through', async t => {
  const dataDir = await temporaryDirectory(t)
  const mine = join(await temporaryDirectory(t), 'mine')
  await symlink(mine, join(dataDir, 'postgres.unfinished'))
  await (await openDatabase({ dataDir, log })).close()
  await t.rejects(stat(mine), { code: 'ENOENT' })
})

const isRoot = process.getuid?.() === 0
t.test('a read-only data directory is refused', isRoot ? { skip: 'root may write anywhere' } : {}, async t => {
  const dataDir = await temporaryDirectory(t)
  await chmod(dataDir, 0o500)
  await t.rejects(openDatabase({ dataDir, log }), {
    code: 'data_dir_unusable', message: `The data directory ${dataDir} cannot be written to.`
  })
})
