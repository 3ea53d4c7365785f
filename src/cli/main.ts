#!/usr/bin/env node
import { restartWithServeFlags } from './serve-flags.ts'

// The program is imported only by the process that runs it: the one that starts another stays small.
if (process.argv[2] !== 'serve' || !restartWithServeFlags()) {
  const { runProgram } = await import('./program.ts')
  await runProgram()
}
