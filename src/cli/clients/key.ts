import { Command, Option } from 'commander'
import { writeOutput } from '../output.ts'
import { audienceKeys, known, withRegistry } from './registry.ts'

interface KeyOptions {
  next?: boolean
  promote?: boolean
  json?: boolean
}

export const keyCommand = new Command('key')
  .description('print the key of a service\'s audience; one for each secret in COUNTERSIGN_SECRET, separated by commas')
  .argument('<id>', 'the client id')
  .option('--next', 'print the next key, for the service to append')
  .addOption(new Option('--promote', 'sign with the next key from now on, and print it').conflicts('next'))
  .option('--json', 'print it as JSON')
  .action(async (id: string, { next = false, promote = false, json = false }: KeyOptions) => {
    const { audience, keys } = await withRegistry(async (clients, config) => {
      const { name, audience } = known(id, await clients.find(id))
      if (audience === null) throw new Error(`${name} has no audience of its own, and therefore no key.`)
      const { keyVersion } = known(id, await (promote ? clients.promoteKey(id) : clients.find(id)))
      return { audience, keys: audienceKeys({ audience, keyVersion: next ? keyVersion + 1 : keyVersion }, config) }
    })
    writeOutput(json, { id, audience, audienceKey: keys[0], audienceKeys: keys }, keys.join(','))
  })
