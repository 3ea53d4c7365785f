// Starts subjects, each with a database of its own, and fills them with users.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AUDIENCE, ISSUER } from '../peers/claims.js'
import { coreSeconds, cpuSeconds, freePort, startNode } from './processes.js'
import { subjects } from './subjects.js'

const START_LIMIT_MS = 60_000
const POLL_MS = 5
const SIGN_UPS_AT_ONCE = 4

/** Ready-made settings: one secret pair for all, so that a token minted here is good there. */
export function createFleet ({ databases, core, argon2, userCount }) {
  const secrets = { JWT_SECRET: randomSecret(), COUNTERSIGN_SECRET: randomSecret() }
  const running = new Map()

  async function prepare (name, purpose = 'load') {
    const port = await freePort()
    const env = {
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      RATE_LIMITS: 'off',
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      DATABASE_URL: await databases.create(`${name}_${purpose}`),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      ACCESS_TOKEN_TTL: '1h',
      ...secrets,
      ...argon2,
      ...subjects[name].env
    }
    return { ...subjects[name], name, port, env }
  }

  async function launch (subject) {
    const busyBefore = coreSeconds(core)
    const startedAt = performance.now()
    subject.child = startNode(subject.file, { args: subject.args, nodeArgs: subject.nodeArgs, env: subject.env, core })
    await firstAnswer(subject)
    subject.startMs = performance.now() - startedAt
    subject.othersBusy = (coreSeconds(core) - busyBefore - cpuSeconds(subject.child.pid)) / subject.startMs * 1000
    return subject
  }

  return {
    launch,
    /** A subject on an empty database, started and to be stopped by the caller. */
    prepareToStart: name => prepare(name, 'start').then(launch),

    /** The subject, running, its users registered: started on first use and kept until the end of the run. */
    async get (name) {
      if (!running.has(name)) running.set(name, prepare(name).then(launch).then(subject => fill(subject, userCount)))
      return running.get(name)
    },
    async started () {
      const outcomes = await Promise.allSettled(running.values())
      return outcomes.filter(({ status }) => status === 'fulfilled').map(({ value }) => value)
    }
  }
}

async function firstAnswer ({ child, port, routes, title }) {
  const limit = performance.now() + START_LIMIT_MS
  while (performance.now() < limit) {
    if (child.exitCode !== null) break
    const answer = await fetch(`http://127.0.0.1:${port}${routes.ready}`).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    await sleep(POLL_MS)
  }
  throw new Error(`${title} did not start:\n${child.output}`)
}

async function fill (subject, userCount) {
  const users = Array.from({ length: userCount }, (_, index) => ({
    name: `Bench ${index}`,
    email: `user${index}@bench.example`,
    password: randomBytes(18).toString('base64url')
  }))
  const waiting = [...users]
  const signUps = Array.from({ length: SIGN_UPS_AT_ONCE }, async () => {
    for (let user = waiting.pop(); user; user = waiting.pop()) user.token = await signUp(subject, user)
  })
  await Promise.all(signUps)
  return Object.assign(subject, { users })
}

async function signUp ({ child, port, routes, tokenIn, title }, user) {
  const origin = `http://127.0.0.1:${port}`
  const answer = await fetch(origin + routes.register, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify(user)
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${title} refused a registration: ${answer.status} ${text}\n${child.output}`)
  return JSON.parse(text)[tokenIn]
}

function randomSecret () {
  return randomBytes(48).toString('base64url')
}
