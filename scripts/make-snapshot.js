// Run after the build: leaves a fresh, migrated cluster of the embedded engine in dist/, which first starts begin with.
import { access, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { migrateEmbedded } from '../dist/database/embedded/migrate-embedded.js'
import { snapshotFile } from '../dist/database/embedded/snapshot.js'

const file = await snapshotFile()
const isCurrent = await access(file).then(() => true, () => false)
if (!isCurrent) {
  try {
    await removeOthers()
    await make()
  } catch (error) {
    // Not the error itself: the engine's errors print pages of its source.
    console.error(`The embedded database's snapshot could not be made: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

async function removeOthers () {
  const directory = new URL('./', file)
  for (const name of await readdir(directory)) {
    if (/^embedded-.*\.tar\.gz/.test(name)) await rm(new URL(name, directory))
  }
}

async function make () {
  const engine = await PGlite.create()
  await migrateEmbedded(engine, { info () {}, warn () {}, error () {} })
  await engine.exec('CHECKPOINT')
  const dump = await engine.dumpDataDir('gzip')
  await engine.close()
  // Under another name first: an interrupted build leaves no half of a snapshot.
  const unfinished = new URL(`${file.href}.${process.pid}`)
  await writeFile(unfinished, Buffer.from(await dump.arrayBuffer()))
  await rename(unfinished, file)
}
