// The users table of the peers that bring none of their own.
import { randomUUID } from 'node:crypto'
import pg from 'pg'

export async function openUsers (connectionString) {
  const pool = new pg.Pool({ connectionString, max: 10 })
  await pool.query(`CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY, email text NOT NULL UNIQUE, password_hash text NOT NULL, role text NOT NULL DEFAULT 'user')`)

  return {
    async add (email, passwordHash) {
      const { rows } = await pool.query(
        'INSERT INTO users (id, email, password_hash) VALUES ($1, $2, $3) RETURNING id, email, role',
        [randomUUID(), email, passwordHash])
      return rows[0]
    },
    async findByEmail (email) {
      const { rows } = await pool.query('SELECT id, email, role, password_hash FROM users WHERE email = $1', [email])
      return rows[0]
    }
  }
}
