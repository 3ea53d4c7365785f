import { Command } from 'commander'
import { generateSecret } from '../config/generated-secrets.ts'
import { createReencryptStore } from '../providers/tokens/reencrypt-store.ts'
import { reencrypt, type Reencryption } from '../providers/tokens/reencrypt.ts'
import { reencryptMessages } from '../outbox/reencrypt-store.ts'
import { deriveKeyRing } from '../tokens/derived-keys.ts'
import { createEncryption } from '../tokens/encryption.ts'
import { withDatabase } from './with-database.ts'
import { writeOutput } from './output.ts'

const reencryptCommand = new Command('reencrypt')
  .description('re-encrypt provider tokens and waiting messages with the first secret of COUNTERSIGN_SECRET, and count what still needs an older one')
  .option('--json', 'print the counts as JSON')
  .action(async (_options: object, command: Command) => {
    const result = await withDatabase(async (database, { secrets }) => {
      const identities = await reencrypt(createReencryptStore(database), createEncryption(deriveKeyRing(secrets, 'provider-token')))
      const messages = await reencryptMessages(database, createEncryption(deriveKeyRing(secrets, 'outbox')))
      return { ...identities, reencryptedMessages: messages.reencrypted, needOldSecret: { ...identities.needOldSecret, messages: messages.needOldSecret } }
    })
    const { json = false } = command.optsWithGlobals<{ json?: boolean }>()
    writeOutput(json, result, describe(result))
  })

/** What is re-encrypted: the tokens of providers, and messages that have not left yet. */
interface Result extends Reencryption {
  reencryptedMessages: number
  needOldSecret: Reencryption['needOldSecret'] & { messages: number }
}

function describe ({ reencrypted, reencryptedMessages, needOldSecret: { identities, sessions, messages } }: Result): string {
  const summary = `Re-encrypted the tokens of ${reencrypted} identities and ${reencryptedMessages} messages.`
  if (identities + sessions + messages === 0) return `${summary} Nothing needs an old secret: it can be removed.`
  return `${summary} An old secret is still needed by ${identities} identities and ${messages} messages, which could not be decrypted, and by ${sessions} sessions, until they are refreshed or end.`
}

export const secretCommand = new Command('secret')
  .description('generate a secret for COUNTERSIGN_SECRET or JWT_SECRET: 256 random bits')
  .option('--json', 'print it as JSON')
  .action(({ json = false }: { json?: boolean }) => {
    const secret = generateSecret()
    writeOutput(json, { secret }, secret)
  })
  .addCommand(reencryptCommand)
