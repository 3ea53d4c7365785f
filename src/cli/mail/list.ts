import { Command } from 'commander'
import { MAIL_KINDS } from '../../mail/channel.ts'
import { contextOf } from '../../outbox/message.ts'
import { createOutboxStore, type ListedMessage } from '../../outbox/store.ts'
import { deriveKeyRing } from '../../tokens/derived-keys.ts'
import { createEncryption, type Encryption } from '../../tokens/encryption.ts'
import { writeOutput } from '../output.ts'
import { withDatabase } from '../with-database.ts'

export const listCommand = new Command('list')
  .description('list the mails that wait to be sent, and those that could not be; of at most 1,000')
  .option('--dead', 'only those that are not tried any more')
  .option('--json', 'print them as JSON')
  .action(async ({ dead = false, json = false }: { dead?: boolean, json?: boolean }) => {
    const items = await withDatabase(async (database, { secrets }) => {
      const encryption = createEncryption(deriveKeyRing(secrets, 'outbox'))
      return (await createOutboxStore(database).list({ kinds: MAIL_KINDS, dead })).map(row => present(row, encryption))
    })
    const lines = items.map(({ id, state, message, to, attempts, lastError }) => [id, state, message ?? 'a mail', ...to === null ? [] : [`to ${to}`], `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`, lastError ?? ''].join('  ').trimEnd())
    writeOutput(json, { items }, ...lines.length === 0 ? [dead ? 'No mail is dead.' : 'No mail waits.'] : lines)
  })

// Never the link or the code.
function present ({ payload, ...row }: ListedMessage, { decrypt }: Pick<Encryption, 'decrypt'>) {
  const { flow = null, email = null, message = flow, to = email } = JSON.parse(decrypt(payload, contextOf(row.id)) ?? '{}') as { message?: string, to?: string, flow?: string, email?: string }
  const state = row.deadAt === null ? 'waiting' : payload === '' ? 'expired' : 'dead'
  return { ...row, state, message, to }
}
