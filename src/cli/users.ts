import { Command, InvalidArgumentError, Option } from 'commander'
import { ROLES, type Role } from 'countersign-verifier'
import { createAccountStore } from '../accounts/store.ts'
import { readConfig } from '../config.ts'
import { composePasswords } from '../passwords/compose.ts'
import { isEmailAddress, normaliseEmail } from '../http/email-address.ts'
import { matching } from './clients/option-parsers.ts'
import { withDatabase } from './with-database.ts'
import { readPassword } from './read-password.ts'
import { writeOutput } from './output.ts'

interface CreateOptions {
  email: string
  role: Role
  name?: string
  json?: boolean
}

const create = new Command('create')
  .description('create an account; prompts for the password, or reads it from standard input')
  .requiredOption('--email <address>', 'the e-mail address', parseAddress)
  .addOption(new Option('--role <role>', 'the role of the account').choices(ROLES).default('user'))
  .option('--name <name>', 'the user\'s name', matching(/^[^\p{Cc}]{1,200}$/u, 'a name of at most 200 characters'))
  .option('--json', 'print the account as JSON')
  .action(async ({ email, role, name, json = false }: CreateOptions) => {
    const config = readConfig(process.env)
    const passwords = composePasswords(config)
    // Before the database is opened, which should not wait for somebody to type.
    const password = await readPassword(`Password for ${email}: `)
    passwords.assess(password, { email, name })
    const id = await withDatabase(async database => {
      const passwordHash = await passwords.hash(password, { address: 'local', known: true })
      return createAccountStore(database).create({ email, name: name ?? null, role, passwordHash }, { ip: null, userAgent: null })
    }, config)
    writeOutput(json, { id, email, role }, `Created ${email} (${role}), id ${id}.`)
  })

function parseAddress (text: string): string {
  if (!isEmailAddress(text)) throw new InvalidArgumentError(`${text} is not an e-mail address.`)
  return normaliseEmail(text)
}

export const usersCommand = new Command('users')
  .description('manage accounts')
  .addCommand(create)
