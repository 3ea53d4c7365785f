import { Command } from 'commander'
import { generateSecret } from '../config/generated-secrets.ts'
import { createReencryptStore } from '../providers/tokens/reencrypt-store.ts'
import { reencrypt, type Reencryption } from '../providers/tokens/reencrypt.ts'
import { deriveKeyRing } from '../tokens/derived-keys.ts'
import { createEncryption } from '../tokens/encryption.ts'
import { withDatabase } from './with-database.ts'
import { writeOutput } from './output.ts'

const reencryptCommand = new Command('reencrypt')
  .description('re-encrypt provider tokens with the first secret of COUNTERSIGN_SECRET, and count what still needs an older one')
  .option('--json', 'print the counts as JSON')
  .action(async (_options: object, command: Command) => {
    const result = await withDatabase(async (database, { secrets }) =>
      await reencrypt(createReencryptStore(database), createEncryption(deriveKeyRing(secrets, 'provider-token'))))
    const { json = false } = command.optsWithGlobals<{ json?: boolean }>()
    writeOutput(json, result, describe(result))
  })

function describe ({ reencrypted, needOldSecret: { identities, sessions } }: Reencryption): string {
  const summary = `Re-encrypted the tokens of ${reencrypted} identities.`
  if (identities + sessions === 0) return `${summary} Nothing needs an old secret: it can be removed.`
  return `${summary} An old secret is still needed by ${identities} identities, whose tokens could not be decrypted, and by ${sessions} sessions, until they are refreshed or end.`
}

export const secretCommand = new Command('secret')
  .description('generate a secret for COUNTERSIGN_SECRET or JWT_SECRET: 256 random bits')
  .option('--json', 'print it as JSON')
  .action(({ json = false }: { json?: boolean }) => {
    const secret = generateSecret()
    writeOutput(json, { secret }, secret)
  })
  .addCommand(reencryptCommand)
