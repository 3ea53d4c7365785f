// A process that locks the directory argv[2], at the moment argv[3] when given, and holds it until it is killed.
import { lockDirectory } from '../../src/database/embedded/lock.ts'

const moment = Number(process.argv[3] ?? 0)
while (Date.now() < moment);
try {
  await lockDirectory(process.argv[2] ?? '')
  console.log(`locked ${process.pid}`)
  setInterval(() => {}, 1_000)
} catch (error) {
  console.log(`refused ${String(error)}`)
}
