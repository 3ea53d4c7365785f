import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { NODE_FLAGS } from '../support/node-flags.ts'

/** Runs an example as a process of its own, until the test ends. @returns the origin that it prints when it listens */
export async function startExample (t: Test, file: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const path = fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url))
  const child = spawn(process.execPath, [...NODE_FLAGS, path], { env: { PATH: process.env.PATH, PORT: '0', ...environment }, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await exited
  })
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    exited.then(([code]) => { throw new Error(`${file} ended with exit code ${code} before it listened`) })
  ])
  return new URL(line).origin
}

/** The answer of an example, as JSON. */
export async function ask (url: string, token?: string): Promise<{ status: number, body: unknown }> {
  const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json() }
}
