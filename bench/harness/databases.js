import { randomBytes } from 'node:crypto'
import pg from 'pg'

// Any number no one else would take.
const ONE_AT_A_TIME = 0x62656e6368

/** Databases of this run's own, dropped at its end. */
export function createDatabases (adminUrl) {
  const prefix = `countersign_bench_${randomBytes(4).toString('hex')}`
  const created = new Set()

  async function connect () {
    const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5000 })
    await client.connect()
    return client
  }

  async function administer (sql) {
    const client = await connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }

  return {
    /** Two benchmarks at once would measure each other: the second refuses. Held until this process ends. */
    async claimMachine () {
      const client = await connect()
      const { rows: [{ claimed }] } = await client.query('SELECT pg_try_advisory_lock($1) AS claimed', [ONE_AT_A_TIME])
      if (!claimed) throw new Error('Another benchmark is running: wait for its end.')
      client.on('error', () => {})
      client.unref()
    },
    async create (suffix) {
      const name = `${prefix}_${created.size}_${suffix.replaceAll('-', '_')}`
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
