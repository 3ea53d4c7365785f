import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { TestClient } from '../../support/clients.ts'

/** A verifier in a process of its own. */
export interface VerifierProcess {
  readonly child: ChildProcess
  /** What it says of a token: `good`, or why it refuses it. */
  verify (token: string): Promise<string>
}

/** What a verifier is told. */
export interface VerifierSettings {
  issuer: string
  jwtSecret: string
  /** The address of the feed. */
  feed: string
  client: TestClient
  /** Seconds. */
  maxStaleness?: number
}

const FILE = fileURLToPath(new URL('verifier-process.js', import.meta.url))

/** Starts a verifier, which runs until the test ends. */
export async function startVerifier (t: Test, { issuer, jwtSecret, feed, client, maxStaleness = 2 }: VerifierSettings): Promise<VerifierProcess> {
  const child = spawn(process.execPath, [FILE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ISSUER: issuer, JWT_SECRET: jwtSecret, FEED: feed, CLIENT_ID: client.id, CLIENT_SECRET: client.secret, MAX_STALENESS: String(maxStaleness) }
  })
  t.teardown(() => { child.kill('SIGKILL') })
  const [origin] = await once(createInterface(child.stdout), 'line') as [string]
  return {
    child,
    async verify (token) {
      const answer = await fetch(origin, { headers: { authorization: `Bearer ${token}` } })
      return answer.text()
    }
  }
}
