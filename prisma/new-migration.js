// node prisma/new-migration.js <name>
// node prisma/new-migration.js --check    exit code 1 when schema.prisma asks for more than the migrations make
//
// Writes prisma/migrations/<time>_<name>/migration.sql: the SQL between what the existing migrations make and what
// schema.prisma asks for. Works offline: the existing migrations run on an embedded Postgres in memory, and Prisma's
// schema engine (as wasm) compares that database with the schema. Read the result before you commit it, and never
// edit it afterwards: the runner compares checksums.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { PrismaPGlite } from 'pglite-prisma-adapter'

const migrations = new URL('migrations/', import.meta.url)
const schemaFile = new URL('schema.prisma', import.meta.url)

const name = process.argv[2]
if (name !== '--check' && !/^[a-z0-9_]+$/.test(name ?? '')) {
  console.error('Usage: node prisma/new-migration.js <name>, where the name is made of a-z, 0-9 and _.')
  process.exit(2)
}

const database = new PGlite()
for (const folder of await existing()) {
  await database.exec(await readFile(new URL(`${folder}/migration.sql`, migrations), 'utf8'))
}

const sql = await difference(database, await readFile(schemaFile, 'utf8'))
await database.close()
if (sql === '') {
  console.log('The migrations already make what schema.prisma asks for.')
} else if (name === '--check') {
  console.error(`schema.prisma asks for what no migration makes:\n${sql}`)
  process.exit(1)
} else {
  const folder = new URL(`${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${name}/`, migrations)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('migration.sql', folder), sql)
  await writeFile(new URL('migration_lock.toml', migrations), '# Read by the Prisma CLI.\nprovider = "postgresql"\n')
  console.log(`Wrote ${fileURLToPath(new URL('migration.sql', folder))}`)
}

async function existing () {
  const entries = await readdir(migrations, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
}

async function difference (client, schema) {
  const SchemaEngine = await loadSchemaEngine()
  const files = [{ path: 'schema.prisma', content: schema }]
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(client))
  const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => {}, adapter)
  const { stdout } = await engine.diff({
    from: { tag: 'schemaDatasource', files, configDir: '.' },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] }
  })
  // A plain role may not create a schema, not even one that exists.
  const statements = (stdout ?? '').replace(/-- CreateSchema\nCREATE SCHEMA IF NOT EXISTS "public";\n*/, '').trim()
  return statements === '' || statements === '-- This is an empty migration.' ? '' : `${statements}\n`
}

// Node 20 imports no wasm as a module, so the package's own entry does not load: this does what that entry does.
async function loadSchemaEngine () {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const bytes = await readFile(new URL('schema_engine_bg.wasm', import.meta.resolve('@prisma/schema-engine-wasm')))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return glue.SchemaEngine
}
