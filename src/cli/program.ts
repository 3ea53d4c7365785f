import { Command, CommanderError } from 'commander'
import { version } from '../version.ts'
import { clientsCommand } from './clients/clients.ts'
import { errorMessage } from './error-message.ts'
import { mailCommand } from './mail/mail.ts'
import { migrateCommand } from './migrate.ts'
import { secretCommand } from './secret.ts'
import { serveCommand } from './serve.ts'
import { sessionsCommand } from './sessions.ts'
import { usersCommand } from './users.ts'

const FAILED = 1
const WRONG_USAGE = 2

const program = new Command('countersign')
  .description('Authentication service. Configured by environment variables: see docs/configuration.md and .env.example.')
  .version(version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })

for (const command of [serveCommand, migrateCommand, secretCommand, usersCommand, sessionsCommand, clientsCommand, mailCommand]) program.addCommand(command)
for (const command of allCommands(program)) command.exitOverride().showHelpAfterError('(use --help for usage)')

/** Runs the command that the process was started with. */
export async function runProgram (): Promise<void> {
  try {
    await program.parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    } else {
      process.stderr.write(`${errorMessage(error)}\n`)
      process.exitCode = FAILED
    }
  }
}

function allCommands (command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}
