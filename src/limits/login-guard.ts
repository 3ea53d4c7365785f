import type { Log } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { GuardedAccount, GuardTicket, LoginGuardStore } from './login-guard-store.ts'

/** A device from which an account has logged in before. */
export interface KnownDevice {
  /** The id of the account. */
  readonly owner: string
  readonly device: string
}

/** A login, as its guard sees it. */
export interface GuardedLogin {
  /** Normalised. */
  email: string
  /** As `networkOf` spells it; `null` where it is not known. */
  network: string | null
  devices: readonly KnownDevice[]
}

export interface LoginGuardDeps {
  store: LoginGuardStore
  /** Whether a new password can be chosen by mail. */
  canReset: boolean
  /** @returns a MAC of a text, by which it can be recognised but not read */
  tagOf (kind: 'email' | 'network', text: string): string
  log: Pick<Log, 'warn'>
}

export type LoginGuard = ReturnType<typeof createLoginGuard>

/**
 * Counts the consecutive failures of a password, for NIST SP 800-63B-4 §3.2.2: at most 100 an account. Strangers have their part
 * of them, and each known device and known network has its own, so that an attacker does not lock out the owner. A failure is
 * reserved before the password is verified, and cleared by a success.
 */
export function createLoginGuard ({ store, canReset, tagOf, log }: LoginGuardDeps) {
  const detail = `Log in from a device or network where you have logged in before, or ${canReset ? 'choose a new password by mail' : 'ask support to unlock the account'}.`

  function admit<Guarded extends { isAdmitted: boolean }> (guarded: Guarded): Guarded {
    if (!guarded.isAdmitted) throw new Problem('too_many_failures', { detail })
    return guarded
  }

  return {
    /** Finds the account of a login, and reserves a failure. @throws Problem 429 `too_many_failures` */
    async reserve ({ email, network, devices }: GuardedLogin): Promise<GuardedAccount> {
      const unknown = `e:${tagOf('email', email)}`
      return admit(await store.reserveByEmail({ email, unknown, devices, network: network === null ? null : tagOf('network', network) }))
    },

    /** Reserves a failure of a session of the account itself. @throws Problem 429 `too_many_failures` */
    async reserveForSession (userId: string, sessionId: string): Promise<GuardTicket | undefined> {
      const guarded = await store.reserveByUser(userId, `d:${sessionId}`)
      return guarded && admit(guarded).ticket
    },

    /** Takes a failure back. It never rejects: what it cannot take back goes on counting. */
    async giveBack (ticket: GuardTicket): Promise<void> {
      await store.giveBack(ticket).catch((error: unknown) => log.warn({ err: error }, 'could not give a failure back'))
    }
  }
}
