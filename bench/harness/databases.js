import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** Databases of this run's own, dropped at its end. */
export function createDatabases (adminUrl) {
  const prefix = `countersign_bench_${randomBytes(4).toString('hex')}`
  const created = new Set()

  async function administer (sql) {
    const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5000 })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }

  return {
    async create (suffix) {
      const name = `${prefix}_${suffix.replaceAll('-', '_')}`
      created.add(name)
      await administer(`CREATE DATABASE ${name}`)
      const url = new URL(adminUrl)
      url.pathname = `/${name}`
      return url.href
    },
    async dropAll () {
      for (const name of created) {
        await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        created.delete(name)
      }
    }
  }
}
