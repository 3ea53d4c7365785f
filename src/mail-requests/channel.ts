import { MAIL_REQUEST_KIND } from '../mail/channel.ts'
import type { Sent } from '../mail/letter.ts'
import type { SendableLetter, SendMail } from '../mail/mailer.ts'
import type { MailMessage } from '../messages/mail-messages.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import { MAIL_REQUEST_LIFE, type MailFlow, type MailRequest } from './mail-flow.ts'

export interface MailRequestChannelDeps {
  flows: readonly MailFlow[]
  secrets: Pick<MailedSecretStore, 'issueDecoy'>
  send: SendMail
  pausedFor: () => number
}

/** Delivers requests for a mail: has each decided by its flow, and sends what comes of it. */
export function createMailRequestChannel ({ flows, secrets, send, pausedFor }: MailRequestChannelDeps) {
  const byName = new Map(flows.map(flow => [flow.flow, flow]))

  async function deliver ({ id, payload, expiresAt }: { id: string, payload: unknown, expiresAt: Date }, signal: AbortSignal): Promise<Sent> {
    const request = payload as MailRequest
    const flow = byName.get(request.flow)
    if (flow === undefined) return { outcome: 'retry', reason: 'a request of another version of the service' }
    const mail = await flow.handle({ ...request, expiresAt, minutes: MAIL_REQUEST_LIFE / 60 })
    if (request.isUnasked !== true && (mail === undefined || !('code' in mail.data))) await secrets.issueDecoy({ ...request, expiresAt })
    // Nobody is told whether there was somebody to send it to.
    if (mail === undefined) return { outcome: 'delivered' }
    return send({ id, ...mail } as SendableLetter<MailMessage>, signal)
  }
  return { kinds: [MAIL_REQUEST_KIND], deliver, pausedFor }
}
