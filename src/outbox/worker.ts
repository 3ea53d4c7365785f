import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { isError } from '../config/error-code.ts'
import type { Log } from '../database/database.ts'
import { contextOf, type Channel, type Delivery, type PayloadEncryption } from './message.ts'
import { retryDelay } from './retry-delay.ts'
import type { ClaimedRow, OutboxStore } from './store.ts'

export interface WorkerDeps {
  store: OutboxStore
  channels: readonly Channel[]
  encryption: Pick<PayloadEncryption, 'decrypt'>
  log: Log
  /** How often the table is read for what other instances left, in ms. */
  pollEvery?: number
  /** How long messages in flight may take once the service stops, in ms. */
  stopWithin?: number
}

export type OutboxWorker = ReturnType<typeof startOutboxWorker>

const AT_ONCE = 10
const LEASE = 60
// Below the lease, so that no other instance begins before this one has given up.
const DEADLINE = 45_000
const POLL_EVERY = 2_000
const COUNT_EVERY = 15_000
const STOP_WITHIN = 8_000
// In seconds. A channel that pauses for no time at all is not asked in a loop.
const SHORTEST_PAUSE = 1
const WRITE_ATTEMPTS = 3
const WRITE_PAUSE = 1_000

/**
 * Delivers what is in the outbox: at least once, and in the order of its lane where a message has one. Does nothing where
 * there is no channel.
 */
export function startOutboxWorker ({ store, channels, encryption, log, pollEvery = POLL_EVERY, stopWithin = STOP_WITHIN }: WorkerDeps) {
  const byKind = new Map(channels.flatMap(channel => channel.kinds.map(kind => [kind, channel] as const)))
  const counts = { sent: 0, failed: 0, waiting: 0, dead: 0 }
  const inFlight = new Set<Promise<void>>()
  const deadlines = new Set<AbortController>()
  const stopping = new AbortController()
  let isAwake = false
  let wakeUp: (() => void) | undefined
  let goOn: (() => void) | undefined
  let isFailing = false
  let countedAt = -Infinity

  function wake (): void {
    isAwake = true
    wakeUp?.()
  }

  async function untilWoken (): Promise<void> {
    if (!isAwake) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, pollEvery).unref()
        wakeUp = () => { clearTimeout(timer); resolve() }
      })
      wakeUp = undefined
    }
    isAwake = false
  }

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      const free = AT_ONCE - inFlight.size
      if (free < AT_ONCE / 2) {
        await new Promise<void>(resolve => { goOn = resolve })
        continue
      }
      const claimed = await claim(free)
      if (claimed < free && !stopping.signal.aborted) await untilWoken()
    }
  }

  /** @returns how many were claimed */
  async function claim (limit: number): Promise<number> {
    const kinds = [...byKind].filter(([, channel]) => channel.pausedFor() === 0).map(([kind]) => kind)
    const claim = randomUUID()
    try {
      if (performance.now() - countedAt > COUNT_EVERY) {
        countedAt = performance.now()
        Object.assign(counts, await store.count())
      }
      const rows = kinds.length === 0 ? [] : await store.claim({ claim, kinds, limit, lease: LEASE })
      if (isFailing) log.info({}, 'outbox read again')
      isFailing = false
      for (const row of rows) start(row, claim)
      return rows.length
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, 'outbox cannot be read')
      isFailing = true
      return 0
    }
  }

  function start (row: ClaimedRow, claim: string): void {
    // What was claimed while the service began to stop is for another instance, at once.
    const work = (stopping.signal.aborted ? Promise.resolve<Delivery>({ outcome: 'paused', reason: 'the service stopped' }) : deliver(row))
      .then(delivery => settle(row, claim, delivery))
      .finally(() => {
        inFlight.delete(work)
        if (AT_ONCE - inFlight.size >= AT_ONCE / 2) goOn?.()
      })
    inFlight.add(work)
  }

  async function deliver ({ payload, ...row }: ClaimedRow): Promise<Delivery> {
    const decrypted = encryption.decrypt(payload, contextOf(row.id))
    // Another instance may have the secret already.
    if (decrypted === undefined) return { outcome: 'retry', reason: 'no secret of COUNTERSIGN_SECRET decrypts it' }
    const channel = byKind.get(row.kind)
    if (channel === undefined) return { outcome: 'paused', reason: 'no channel' }
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), DEADLINE).unref()
    deadlines.add(deadline)
    try {
      return await channel.deliver({ ...row, payload: JSON.parse(decrypted) as unknown }, deadline.signal)
    } catch (error) {
      log.error({ err: error, outboxId: row.id, kind: row.kind }, 'delivery failed unexpectedly')
      return { outcome: 'retry', reason: isError(error) ? error.name : 'unknown error' }
    } finally {
      clearTimeout(timer)
      deadlines.delete(deadline)
    }
  }

  async function settle ({ id, kind, attempts }: ClaimedRow, claim: string, delivery: Delivery): Promise<void> {
    const { outcome } = delivery
    if (outcome === 'delivered') counts.sent++
    else if (outcome !== 'paused') counts.failed++
    if (outcome === 'undeliverable') log.warn({ outboxId: id, kind, reason: delivery.reason }, 'message undeliverable')
    for (let attempt = 1; ; attempt++) {
      try {
        if (outcome === 'delivered') await store.remove(id, claim)
        else if (outcome === 'undeliverable') await store.bury(id, claim, delivery.reason)
        else if (outcome === 'retry') await store.postpone(id, claim, { delay: retryDelay(attempts), isCounted: true, reason: delivery.reason })
        else await store.postpone(id, claim, { delay: stopping.signal.aborted ? 0 : Math.max((byKind.get(kind)?.pausedFor() ?? 0) / 1000, SHORTEST_PAUSE), isCounted: false, reason: delivery.reason })
        return
      } catch (error) {
        // When the lease ends it is delivered again: a copy, which its id tells.
        if (attempt === WRITE_ATTEMPTS || stopping.signal.aborted) return log.warn({ err: error, outboxId: id, outcome }, 'outcome of a delivery could not be stored')
        await pause(WRITE_PAUSE, undefined, { ref: false })
      }
    }
  }

  const running = byKind.size === 0 ? Promise.resolve() : run()

  return {
    /** Has the table read now: to be called once something was committed. */
    wake,

    /** What this worker delivered, and what it last saw in the table. */
    counts,

    /** Takes no more messages, and waits up to 8 s for those in flight. */
    async close (): Promise<void> {
      stopping.abort()
      wake()
      goOn?.()
      const givingUp = setTimeout(() => { for (const deadline of deadlines) deadline.abort() }, stopWithin)
      await running
      // Whatever does not heed its deadline is left to the lease.
      const timer = new AbortController()
      await Promise.race([Promise.all(inFlight), pause(stopWithin + 500, undefined, timer).catch(() => {})])
      timer.abort()
      clearTimeout(givingUp)
    }
  }
}
