// Run after the build: leaves a fresh, migrated cluster in dist/, for first starts to begin with.
import { access, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { migrateEmbedded } from './migrate-embedded.ts'
import { snapshotFile } from './snapshot.ts'

const file = await snapshotFile()
const isCurrent = await access(file).then(() => true, () => false)
if (!isCurrent) {
  try {
    await removeOthers()
    await make()
  } catch (error) {
    // Not the error itself: the engine's come with screens of its source.
    console.error(`The embedded database's snapshot could not be made: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

async function removeOthers () {
  const here = new URL('./', file)
  for (const name of await readdir(here)) {
    if (/^embedded-.*\.tar\.gz/.test(name)) await rm(new URL(name, here))
  }
}

async function make () {
  const engine = await PGlite.create()
  await migrateEmbedded(engine, { info () {}, warn () {}, error () {} })
  await engine.exec('CHECKPOINT')
  const dump = await engine.dumpDataDir('gzip')
  await engine.close()
  // Written aside first: a build that is broken off leaves no half of a snapshot.
  const aside = new URL(`${file.href}.${process.pid}`)
  await writeFile(aside, Buffer.from(await dump.arrayBuffer()))
  await rename(aside, file)
}
