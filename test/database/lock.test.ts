import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { probeLock } from '../../src/database/embedded/probe-lock.ts'
import { lockDirectory } from '../../src/database/embedded/lock.ts'
import { temporaryDirectory } from '../support/database.ts'
import { child } from './child.ts'

t.test('a held directory is refused, with the holder\'s process id, and free again once released', async t => {
  const directory = await temporaryDirectory(t)
  const lock = await lockDirectory(directory)
  await t.rejects(lockDirectory(directory), {
    code: 'data_dir_in_use',
    message: `The data directory ${directory} is in use by process ${process.pid}.`
  })
  await lock.release()
  t.same(await readdir(join(directory, 'lock')), [], 'nothing is left behind')
  const again = await lockDirectory(directory)
  await again.release()
})

t.test('a killed process no longer holds its directory', async t => {
  const directory = await temporaryDirectory(t)
  const holder = child(t, 'lock-and-hold.js', [directory])
  const pid = (await holder.says('locked')).split(' ')[1]
  await t.rejects(lockDirectory(directory), { code: 'data_dir_in_use', message: new RegExp(`process ${pid}\\.`) })
  await holder.kill()
  t.equal((await readdir(join(directory, 'lock'))).length, 1, 'the stale claim is still there')
  const lock = await lockDirectory(directory)
  t.equal((await readdir(join(directory, 'lock'))).length, 1, 'and cleared by the next')
  await lock.release()
})

t.test('many contenders inside one process: one wins', async t => {
  const directory = await temporaryDirectory(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(directory)))
  const won = outcomes.filter(outcome => outcome.status === 'fulfilled')
  t.equal(won.length, 1)
  await won[0]?.value.release()
})

t.test('a claim that is given up while it is asked does not count as holding', async t => {
  const path = join(await temporaryDirectory(t), 'claim')
  const claim = createServer().listen(path)
  await once(claim, 'listening')
  const answer = probeLock(path)
  claim.close()
  t.match(await answer, { state: 'asking' })
})

t.test('a directory whose path is too long for a socket can be locked too', async t => {
  const directory = join(await temporaryDirectory(t), 'long'.repeat(20), 'longer'.repeat(20))
  await mkdir(directory, { recursive: true })
  const lock = await lockDirectory(directory)
  t.equal((await readdir(join(directory, 'lock'))).length, 1, 'the claim lies in the directory itself')
  await t.rejects(lockDirectory(directory), { code: 'data_dir_in_use' })
  await lock.release()
})
