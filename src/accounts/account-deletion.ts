import type { Revocation } from 'countersign-verifier/internal'
import type { PurgeBatch } from '../database/purge-job.ts'
import type { Actor, ClientInfo } from '../http/client-info.ts'
import type { Mail } from '../mail/compose.ts'
import { newLinkToken } from '../mail-requests/prepare-mail-request.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { NewMessage } from '../outbox/message.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { DeletionStore } from './deletion-store.ts'
import type { LockedAccount } from './lock-account-store.ts'

export interface AccountDeletionDeps {
  store: DeletionStore
  /** How long the owner of an account can take its deletion back, in seconds; without it accounts are deleted at once. */
  grace: number | undefined
  mail: Pick<Mail, 'isAvailable' | 'link' | 'message'>
  outbox: Pick<Outbox, 'prepare' | 'wake'>
  ledgerSync: Pick<LedgerSync, 'apply'>
}

export type AccountDeletion = ReturnType<typeof createAccountDeletion>

// As long as a notice: longer than most outages.
const MESSAGE_LIFE = 3 * 86_400

/** Deleting accounts, at once or after a time in which their owners can take it back. */
export function createAccountDeletion ({ store, grace, mail, outbox, ledgerSync }: AccountDeletionDeps) {
  const now = () => new Date().toISOString()
  const prepare = (makeMessage: () => NewMessage) => outbox.prepare(mail.isAvailable ? makeMessage() : undefined)

  // To the address and in the language that it had: the account is gone by then.
  const announceEnd = ({ email, locale }: LockedAccount) => prepare(() => mail.message('account_deleted', { at: now() }, { to: email, locale, expiresIn: MESSAGE_LIFE }))
  const announceReturn = ({ id }: LockedAccount) => prepare(() => mail.message('account_restored', { at: now() }, { userId: id, expiresIn: MESSAGE_LIFE }))

  function apply (revocations: Revocation[] | undefined): boolean {
    ledgerSync.apply(revocations ?? [])
    outbox.wake()
    return revocations !== undefined
  }

  /** Deletes an account now. @returns whether there is such an account. @throws Problem 409 `last_admin` */
  async function removeNow (userId: string, actor: Actor): Promise<boolean> {
    return apply(await store.remove(userId, actor, announceEnd))
  }

  async function schedule (userId: string, grace: number, actor: Actor): Promise<boolean> {
    const restoreToken = mail.isAvailable ? newLinkToken() : undefined
    return apply(await store.schedule(userId, {
      grace,
      restoreToken,
      announce: ({ id, locale }, dueAt, to) => prepare(() => mail.message('deletion_scheduled', { until: dueAt.toISOString(), link: mail.link('restore', restoreToken) }, { ...to === undefined ? { userId: id } : { to, locale }, expiresIn: grace }))
    }, actor))
  }

  const purge: PurgeBatch = async limit => {
    const due = await store.findDue(limit)
    const failures: unknown[] = []
    for (const id of due) {
      // One that cannot be deleted now does not keep the others.
      await store.removeDue(id, announceEnd).then(apply).catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
    return due.length
  }

  return {
    removeNow,

    /** Deletes an account for its owner: now, or after the time of grace. @throws Problem 409 `last_admin` */
    removeOwn: (userId: string, actor: Actor): Promise<boolean> => grace === undefined ? removeNow(userId, actor) : schedule(userId, grace, actor),

    /** Looks at the link that an owner was mailed, and uses up nothing. @throws Problem `link_invalid`, `link_used`, `link_expired` */
    look: store.lookAtToken,

    /** Takes a deletion back by the link that its owner was mailed. @throws Problem `link_invalid`, `link_used`, `link_expired` */
    async restoreByToken (token: string, client: ClientInfo): Promise<void> {
      await store.restoreByToken(token, client, announceReturn)
      outbox.wake()
    },

    /** Takes a deletion back for the owner. @returns whether there is such an account */
    async restore (userId: string, actor: Actor): Promise<boolean> {
      const isFound = await store.restore(userId, actor, announceReturn)
      outbox.wake()
      return isFound
    },

    /** Deletes the accounts whose time has come. */
    purge
  }
}
