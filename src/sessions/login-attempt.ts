import type { ClientInfo } from '../http/client-info.ts'
import { whileReserved, type AttemptCount, type AttemptLimiter, type ReportLimits, type Reservation } from '../limits/attempt-limiter.ts'
import { byNetwork } from '../limits/limit-by-network.ts'
import type { KnownDevice, LoginGuard } from '../limits/login-guard.ts'
import type { GuardTicket } from '../limits/login-guard-store.ts'
import { Problem } from '../errors.ts'
import type { LoginAccount, LoginSettlement, OpenSessionStore } from './open-session-store.ts'

/** A login that is about to verify a password. */
export interface LoginAttemptRequest {
  /** Normalised. */
  email: string
  client: ClientInfo
  /** The devices that the request shows, whosever they are. */
  devices: readonly KnownDevice[]
  /** Gets the headers of the limits. */
  report: ReportLimits
}

export interface LoginAttemptDeps {
  limiter: AttemptLimiter
  loginGuard: LoginGuard | undefined
  store: Pick<OpenSessionStore, 'findAccount' | 'respellFormer'>
}

/** A guess at the password of an account, wherever it is made. */
export interface GuessToReserve extends Pick<LoginAttemptRequest, 'email' | 'client' | 'report'> {
  /** @returns the device that the account itself has logged in from before; asked only where the network has guessed too often */
  findOwnDevice (): Promise<string | undefined>
}

/**
 * Reserves a guess. It counts by network; where that is refused, a known device of the account has a limit of its own: others
 * in the owner's network must not keep the owner out.
 *
 * @throws Problem 429 `too_many_requests`
 */
export async function reserveGuess (limiter: AttemptLimiter, { email, client, report, findOwnDevice }: GuessToReserve): Promise<Reservation> {
  try {
    return await limiter.reserve(passwordCounts(email, client), report)
  } catch (error) {
    const device = error instanceof Problem ? await findOwnDevice() : undefined
    if (device === undefined) throw error
    return await limiter.reserve([{ rule: 'login', by: [email, `d:${device}`] }], report)
  }
}

function passwordCounts (email: string, { ip, network }: ClientInfo): AttemptCount[] {
  return [byNetwork('network', network), { rule: 'login', by: [email, network ?? ip ?? 'local'] }]
}

/** What a guess takes back that was no failure. */
export interface GuessToGiveBack {
  /** Takes everything back. */
  giveBack (): Promise<void>
  /** Takes back what its guard counts. */
  giveBackFailure (): Promise<void>
}

/**
 * Counts a right password: it costs more than a wrong one. Where it is refused, all the rest counts on, so that the next
 * attempts end before they cost a hash.
 *
 * @throws Problem 429 `too_many_requests`
 */
export async function countRightPassword (limiter: AttemptLimiter, userId: string, { giveBack, giveBackFailure }: GuessToGiveBack): Promise<void> {
  try {
    await whileReserved({ giveBack }, () => limiter.reserve([{ rule: 'success', by: [userId] }]))
  } catch (error) {
    if (error instanceof Problem) await giveBackFailure()
    throw error
  }
}

export type AdmitLogin = ReturnType<typeof createAdmitLogin>

/**
 * Admits attempts to log in. Each counts as a failure before its password is verified: whoever guesses many at once, or does
 * not wait for the answer, gains nothing.
 */
export function createAdmitLogin ({ limiter, loginGuard, store }: LoginAttemptDeps) {
  async function findAccount ({ email, client, devices }: LoginAttemptRequest): Promise<{ account: LoginAccount | null, ticket?: GuardTicket }> {
    if (loginGuard === undefined) return { account: await store.findAccount(email) }
    await store.respellFormer(email)
    return await loginGuard.reserve({ email, network: client.network ?? null, devices })
  }

  // For a known address and an unknown one alike.
  async function findOwnDevice (email: string, devices: readonly KnownDevice[]): Promise<string | undefined> {
    const account = devices.length === 0 ? null : await store.findAccount(email)
    return devices.find(({ owner }) => owner === account?.id)?.device
  }

  /** @throws Problem 429 `too_many_requests`, `too_many_failures` */
  return async function admit (request: LoginAttemptRequest) {
    const { email, client, devices, report } = request
    const reservation = await reserveGuess(limiter, { email, client, report, findOwnDevice: () => findOwnDevice(email, devices) })
    const { account, ticket } = await findAccount(request).catch(async (error: unknown) => {
      if (!(error instanceof Problem)) await reservation.giveBack()
      throw error
    })
    const settlement = reservation.settle({ forget: 'login', giveBack: 'network' })
    const isNothing = ticket === undefined && Object.values(settlement.values).every(value => value === null)
    const giveBackFailure = async () => { if (ticket !== undefined) await loginGuard?.giveBack(ticket) }
    const giveBack = async () => { await Promise.all([reservation.giveBack(), giveBackFailure()]) }

    return {
      account,
      /** Takes everything back: no password was verified, or it was right and the failure is ours. */
      giveBack,
      /** Counts a success, after the password was verified. @throws Problem 429 `too_many_requests` */
      countSuccess: (userId: string) => countRightPassword(limiter, userId, { giveBack, giveBackFailure }),
      /** For the statement that opens the session; `undefined` where there is nothing to undo. */
      settlement: isNothing ? undefined : { ...settlement.values, guardSubject: ticket?.subject ?? null, guardPart: ticket?.part ?? null } satisfies LoginSettlement,
      /** What that statement cannot undo. */
      finish: settlement.finish
    }
  }
}
