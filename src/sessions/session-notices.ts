import { deviceName } from '../http/device-name.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { Mail } from '../mail/compose.ts'
import type { Outbox } from '../outbox/compose.ts'
import { NO_MESSAGE, type OutboxRow } from '../outbox/enqueue.ts'

export interface SessionNoticesDeps {
  mail: Pick<Mail, 'notice'>
  outbox: Pick<Outbox, 'prepare' | 'wake'>
}

export type SessionNotices = ReturnType<typeof createSessionNotices>

/** What the owner of an account is told of its sessions. The statement that makes it so says whose account it is, and stores it. */
export function createSessionNotices ({ mail, outbox }: SessionNoticesDeps) {
  const prepare = (name: 'new_device' | 'refresh_token_reused', { userAgent }: ClientInfo): OutboxRow =>
    outbox.prepare(mail.notice(name, { device: deviceName(userAgent) ?? '', at: new Date().toISOString() }, {}))

  return {
    /** @param isKnownDevice whether the client has shown that the account has logged in from it before */
    newDevice: (client: ClientInfo, isKnownDevice: boolean): OutboxRow => isKnownDevice ? NO_MESSAGE : prepare('new_device', client),
    reusedToken: (client: ClientInfo): OutboxRow => prepare('refresh_token_reused', client),
    /** To be called once one was stored. */
    wake: outbox.wake
  }
}
