import { Command } from 'commander'
import { listCommand } from './list.ts'
import { retryCommand } from './retry.ts'
import { testCommand } from './test.ts'

export const mailCommand = new Command('mail').description('test sending mail, and see what could not be sent')
for (const command of [testCommand, listCommand, retryCommand]) mailCommand.addCommand(command)
