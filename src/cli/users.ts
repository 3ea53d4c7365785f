import { Command, Option } from 'commander'
import { ROLES, type Role } from 'countersign-verifier'
import { createAccountStore } from '../accounts/store.ts'
import { createPasswords } from '../passwords/passwords.ts'
import { isEmailAddress, normaliseEmail } from '../http/email-address.ts'
import { withDatabase } from './open-database.ts'
import { readPassword } from './read-password.ts'
import { report } from './report.ts'

interface CreateOptions {
  email: string
  role: Role
  name?: string
  json?: boolean
}

const create = new Command('create')
  .description('create an account; its password is asked for without echo, or taken from standard input')
  .requiredOption('--email <address>', 'the e-mail address')
  .addOption(new Option('--role <role>', 'what the account may do').choices(ROLES).default('user'))
  .option('--name <name>', 'the person\'s name')
  .option('--json', 'print the account as JSON')
  .action(async ({ email: address, role, name, json = false }: CreateOptions) => {
    if (!isEmailAddress(address)) throw new Error(`${address} is not an e-mail address.`)
    const email = normaliseEmail(address)
    const id = await withDatabase(async (database, config) => {
      const passwords = createPasswords(config)
      const password = await readPassword(`Password for ${email}: `)
      passwords.assess(password, { email, name })
      const passwordHash = await passwords.hash(password, { address: 'local', known: true })
      return createAccountStore(database).create({ email, name: name ?? null, role, passwordHash }, { ip: null, userAgent: null })
    })
    report(json, { id, email, role }, `Created ${email} (${role}), id ${id}.`)
  })

export const usersCommand = new Command('users')
  .description('manage accounts')
  .addCommand(create)
