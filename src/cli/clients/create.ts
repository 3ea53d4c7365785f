import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import type { Config } from '../../config.ts'
import { generateSecret } from '../../config/generated-secrets.ts'
import { hashClientSecret } from '../../oauth/client-secret.ts'
import { writeOutput } from '../output.ts'
import { matching, parseScopes } from './option-parsers.ts'
import { audienceKeys, present, withRegistry } from './registry.ts'

interface CreateOptions {
  name: string
  audience?: string
  scope: string[]
  json?: boolean
}

const parseAudience = matching(/^[\x21-\x7e]{1,255}$/, 'up to 255 printable ASCII characters without spaces')

// JWT_AUDIENCE belongs to no client: its key is JWT_SECRET, which no command prints.
const ownAudience = (requested: string | undefined, { audience }: Config) => requested === undefined || requested === audience ? null : requested

export const createCommand = new Command('create')
  .description('register a service; prints its secret, once')
  .requiredOption('--name <name>', 'the name of the service', matching(/^(?=.*\S)[^\p{Cc}]{1,200}$/u, 'a name of at most 200 characters'))
  .option('--audience <audience>', 'an audience of its own; prints the key for verifying its tokens too', parseAudience)
  .option('--scope <scopes>', 'its scopes, separated by spaces: introspect, revocations:read, sessions:revoke, and your own', parseScopes, [])
  .option('--json', 'print it as JSON')
  .action(async ({ name, audience, scope: scopes, json = false }: CreateOptions) => {
    const secret = generateSecret()
    const { client, keys } = await withRegistry(async (clients, config) => {
      const id = `client_${randomBytes(12).toString('hex')}`
      const client = await clients.create({ id, name, audience: ownAudience(audience, config), scopes, secretHash: hashClientSecret(secret) })
      return { client, keys: audienceKeys(client, config) }
    })
    const [audienceKey] = keys
    writeOutput(json, { ...present(client), secret, ...audienceKey !== undefined && { audienceKey, audienceKeys: keys } },
      `Registered ${name}. The secret is not shown again.`,
      `  client id      ${client.id}`,
      `  client secret  ${secret}`,
      ...audienceKey === undefined ? [] : [`  audience key   ${keys.join(',')}`]
    )
  })
