import { Command, Option } from 'commander'
import { generateSecret } from '../../config/generated-secrets.ts'
import { hashClientSecret } from '../../oauth/client-secret.ts'
import { writeOutput } from '../output.ts'
import { parseDuration } from './option-parsers.ts'
import { known, present, withRegistry } from './registry.ts'

interface RotateOptions {
  /** Seconds. */
  overlap: number
  endOld?: boolean
  json?: boolean
}

export const rotateCommand = new Command('rotate')
  .description('give a service a new secret; the old one stays valid for a while')
  .argument('<id>', 'the client id')
  .addOption(new Option('--overlap <duration>', 'how long the old secret stays valid, for example 1h').argParser(parseDuration).default(86_400, '1d'))
  .addOption(new Option('--end-old', 'end the old secret at once, if it has leaked').conflicts('overlap'))
  .option('--json', 'print it as JSON')
  .action(async (id: string, { overlap, endOld = false, json = false }: RotateOptions) => {
    const secret = generateSecret()
    const client = present(await withRegistry(async clients =>
      known(id, await clients.replaceSecret(id, { secretHash: hashClientSecret(secret), overlap: endOld ? 0 : overlap }))))
    writeOutput(json, { ...client, secret },
      `${client.name} has a new secret, which is not shown again. The old one ${endOld ? 'is no longer valid' : `stays valid until ${client.previousSecretEndsAt}`}.`,
      `  client id      ${id}`,
      `  client secret  ${secret}`
    )
  })
