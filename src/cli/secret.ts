import { Command } from 'commander'
import { generateSecret } from '../config/generated-secrets.ts'

export const secretCommand = new Command('secret')
  .description('print a new secret for COUNTERSIGN_SECRET or JWT_SECRET: 256 random bits')
  .option('--json', 'print it as JSON')
  .action(({ json = false }: { json?: boolean }) => {
    const secret = generateSecret()
    process.stdout.write(`${json ? JSON.stringify({ secret }) : secret}\n`)
  })
