import type { Log } from '../database/database.ts'
import type { Sent } from './letter.ts'
import type { SendMail } from './mailer.ts'
import type { createRecipientStore } from './recipient-store.ts'

/** Has noted of each message whether its address takes mail. */
export function noteAddresses (send: SendMail, recipients: Pick<ReturnType<typeof createRecipientStore>, 'markDeliverable' | 'markUndeliverable'>, log: Pick<Log, 'warn'>): SendMail {
  // What cannot be noted now is noted of the next message: this one is not sent again for it.
  async function note (address: string, sent: Sent): Promise<void> {
    try {
      if (sent.outcome === 'delivered') await recipients.markDeliverable(address)
      if (sent.outcome === 'undeliverable' && sent.isAddressRefused) await recipients.markUndeliverable(address)
    } catch (error) {
      log.warn({ err: error }, 'could not note whether an address takes mail')
    }
  }

  return async function sendMail (letter, signal) {
    const sent = await send(letter, signal)
    await note(letter.to, sent)
    return sent
  }
}
