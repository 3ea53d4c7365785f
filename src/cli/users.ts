import { Command, InvalidArgumentError, Option } from 'commander'
import { ROLES, type Role } from 'countersign-verifier'
import { createAccountStatusStore } from '../accounts/account-status-store.ts'
import { createAccountStore } from '../accounts/store.ts'
import { createPrepareInvitation } from '../admin/prepare-invitation.ts'
import { createAdminStore, type CreatedUser } from '../admin/store.ts'
import { readConfig, type Config } from '../config.ts'
import { composeMail } from '../mail/compose.ts'
import { createOutboxWriter } from '../outbox/enqueue.ts'
import { composePasswords } from '../passwords/compose.ts'
import { isEmailAddress, normaliseEmail } from '../http/email-address.ts'
import { deriveKeyRing } from '../tokens/derived-keys.ts'
import { createEncryption } from '../tokens/encryption.ts'
import { matching } from './clients/option-parsers.ts'
import { withDatabase } from './with-database.ts'
import { readPassword } from './read-password.ts'
import { writeOutput } from './output.ts'

interface CreateOptions {
  email: string
  role: Role
  name?: string
  invite?: boolean
  json?: boolean
}

const QUIET = { info () {}, warn () {}, error () {} }

const create = new Command('create')
  .description('create an account; prompts for the password, or reads it from standard input, unless its owner is invited to choose one')
  .requiredOption('--email <address>', 'the e-mail address', parseAddress)
  .addOption(new Option('--role <role>', 'the role of the account').choices(ROLES).default('user'))
  .option('--name <name>', 'the user\'s name', matching(/^[^\p{Cc}\p{Surrogate}]{1,200}$/u, 'a name of at most 200 characters'))
  .option('--invite', 'mail a link by which the owner chooses the password; the running service sends it within 2 s')
  .option('--json', 'print the account as JSON')
  .action(async ({ email, role, name, invite = false, json = false }: CreateOptions) => {
    const config = readConfig(process.env)
    const id = await (invite ? createInvited : createWithPassword)({ email, role, name: name ?? null }, config)
    writeOutput(json, { id, email, role }, `Created ${email} (${role}), id ${id}.`)
  })

async function createWithPassword ({ email, role, name }: CreatedUser, config: Config): Promise<string> {
  const passwords = composePasswords(config, QUIET)
  // Before the database is opened, which should not wait for somebody to type.
  const password = await readPassword(`Password for ${email}: `)
  passwords.assess(password, { email, ...name !== null && { name } })
  await passwords.refuseBreached(password)
  return await withDatabase(async database => {
    const passwordHash = await passwords.hash(password, { address: null })
    return createAccountStore(database).create({ email, name, role, passwordHash }, { ip: null, userAgent: null })
  }, config)
}

async function createInvited (user: CreatedUser, config: Config): Promise<string> {
  return await withDatabase(async database => {
    const mail = composeMail({ config, baseUrl: config.publicUrl, database, log: QUIET })
    const outbox = createOutboxWriter(database, createEncryption(deriveKeyRing(config.secrets, 'outbox')))
    const invitation = createPrepareInvitation({ mail, outbox })({ email: user.email, locale: undefined })
    mail.close()
    if (invitation === undefined) throw new Error('SMTP_URL is not set: nobody can be invited.')
    const { id } = await createAdminStore(database).createUser(user, {}, invitation)
    return id
  }, config)
}

const unlock = new Command('unlock')
  .description('clear the failed attempts that lock the password of an account')
  .requiredOption('--email <address>', 'the e-mail address', parseAddress)
  .option('--json', 'print the account as JSON')
  .action(async ({ email, json = false }: { email: string, json?: boolean }) => {
    const id = await withDatabase(async database => {
      const id = await createAccountStore(database).findId(email)
      return id !== undefined && await createAccountStatusStore(database).unlock(id, {}) ? id : undefined
    })
    if (id === undefined) throw new Error(`There is no account ${email}.`)
    writeOutput(json, { id, email }, `Unlocked ${email}, id ${id}.`)
  })

const verifyEmail = new Command('verify-email')
  .description('vouch for the e-mail address of an account: it counts as verified from then on')
  .argument('<email>', 'the e-mail address', parseAddress)
  .option('--json', 'print the account as JSON')
  .action(async (email: string, { json = false }: { json?: boolean }) => {
    const id = await withDatabase(async database => {
      const id = await createAccountStore(database).findId(email)
      return id !== undefined && await createAccountStatusStore(database).verifyEmail(id, {}) ? id : undefined
    })
    if (id === undefined) throw new Error(`There is no account ${email}.`)
    writeOutput(json, { id, email }, `Verified ${email}, id ${id}.`)
  })

const enable = new Command('enable')
  .description('let an account in again that is disabled')
  .requiredOption('--id <id>', 'the id of the account', matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'a UUID'))
  .option('--json', 'print the account as JSON')
  .action(async ({ id, json = false }: { id: string, json?: boolean }) => {
    const changed = await withDatabase(database => createAccountStatusStore(database).setRoleAndStatus(id, { disabled: false }, {}))
    if (changed === undefined) throw new Error(`There is no account ${id}.`)
    writeOutput(json, { id }, `Enabled ${id}.`)
  })

function parseAddress (text: string): string {
  if (!isEmailAddress(text)) throw new InvalidArgumentError(`${text} is not an e-mail address.`)
  return normaliseEmail(text)
}

export const usersCommand = new Command('users')
  .description('manage accounts')
  .addCommand(create)
  .addCommand(unlock)
  .addCommand(verifyEmail)
  .addCommand(enable)
