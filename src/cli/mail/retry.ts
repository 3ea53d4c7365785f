import { Command, InvalidArgumentError } from 'commander'
import { validate } from 'uuid'
import { MAIL_KINDS } from '../../mail/channel.ts'
import { createOutboxStore } from '../../outbox/store.ts'
import { writeOutput } from '../output.ts'
import { withDatabase } from '../with-database.ts'

export const retryCommand = new Command('retry')
  .description('have a dead mail sent again; the running service does it within 2 s')
  .argument('<id>', 'its id, from mail list --dead', parseId)
  .option('--json', 'print the id as JSON')
  .action(async (id: string, { json = false }: { json?: boolean }) => {
    const isRevived = await withDatabase(database => createOutboxStore(database).revive(id, MAIL_KINDS))
    if (!isRevived) throw new Error(`No dead mail has the id ${id}, or it has expired.`)
    writeOutput(json, { retried: id }, `${id} will be sent again.`)
  })

function parseId (text: string): string {
  if (!validate(text)) throw new InvalidArgumentError(`${text} is not the id of a mail.`)
  return text
}
