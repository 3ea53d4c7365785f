import { Command, InvalidArgumentError, Option } from 'commander'
import { validate } from 'uuid'
import { createAccountStatusStore } from '../accounts/account-status-store.ts'
import { createAccountStore } from '../accounts/store.ts'
import { isEmailAddress, normaliseEmail } from '../http/email-address.ts'
import { endAllSessions } from '../sessions/end-all-sessions-store.ts'
import { writeOutput } from './output.ts'
import { withDatabase } from './with-database.ts'

interface EndOptions {
  all?: boolean
  user?: string
  json?: boolean
}

const endCommand = new Command('end')
  .description('end sessions: their cookies, refresh tokens and access tokens are refused from then on')
  .option('--all', 'every session of every account, as after a backup was restored')
  .addOption(new Option('--user <account>', 'every session of one account, by its id or e-mail address').argParser(parseAccount).conflicts('all'))
  .option('--json', 'print what was ended as JSON')
  .action(async ({ all = false, user, json = false }: EndOptions, command: Command) => {
    if (user !== undefined) return await endOfOne(user, json)
    if (!all) command.error('error: say whose sessions: --all ends every session of every account, and everybody has to log in again; --user those of one')
    const ended = await withDatabase(endAllSessions)
    writeOutput(json, ended, `Ended ${counted(ended.sessions, 'session')} of ${counted(ended.accounts, 'account')}.`)
  })

async function endOfOne (account: string, json: boolean): Promise<void> {
  const id = await withDatabase(async database => {
    const id = validate(account) ? account : await createAccountStore(database).findId(account)
    return id !== undefined && await createAccountStatusStore(database).endAllSessions(id, {}) !== undefined ? id : undefined
  })
  if (id === undefined) throw new Error(`There is no account ${account}.`)
  writeOutput(json, { id }, `Ended all sessions of ${account === id ? id : `${account}, id ${id}`}.`)
}

function counted (count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function parseAccount (text: string): string {
  if (validate(text)) return text.toLowerCase()
  if (!isEmailAddress(text)) throw new InvalidArgumentError(`${text} is neither the id nor the e-mail address of an account.`)
  return normaliseEmail(text)
}

export const sessionsCommand = new Command('sessions')
  .description('end sessions')
  .addCommand(endCommand)
