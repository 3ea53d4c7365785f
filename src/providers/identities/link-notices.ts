import type { Mail } from '../../mail/compose.ts'
import type { Outbox } from '../../outbox/compose.ts'
import type { OutboxRow } from '../../outbox/enqueue.ts'
import type { Provider } from '../provider.ts'

export interface LinkNoticesDeps {
  providers: ReadonlyMap<string, Pick<Provider, 'label'>>
  mail: Pick<Mail, 'notice'>
  outbox: Pick<Outbox, 'prepare' | 'wake'>
}

export type LinkNotices = ReturnType<typeof createLinkNotices>

/** What the owner of an account is told of its identities. The statement that links one says whose account it is. */
export function createLinkNotices ({ providers, mail, outbox }: LinkNoticesDeps) {
  return {
    /** @param provider its id */
    linked: (provider: string): OutboxRow => outbox.prepare(mail.notice('identity_linked', { provider: providers.get(provider)?.label ?? provider, at: new Date().toISOString() }, {})),
    /** To be called once one was stored. */
    wake: outbox.wake
  }
}
