import { Command } from 'commander'
import { createCommand } from './create.ts'
import { keyCommand } from './key.ts'
import { listCommand } from './list.ts'
import { removeCommand } from './remove.ts'
import { rotateCommand } from './rotate.ts'

export const clientsCommand = new Command('clients').description('manage other services as OAuth clients')
for (const command of [createCommand, listCommand, rotateCommand, keyCommand, removeCommand]) clientsCommand.addCommand(command)
