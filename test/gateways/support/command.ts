import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Whether a command is on the PATH. */
export async function has (command: string): Promise<boolean> {
  // Debian keeps daemons where an ordinary PATH does not look.
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  const found = await Promise.all(places.map(place => access(join(place, command), constants.X_OK).then(() => true, () => false)))
  return found.includes(true)
}

/** For tests that need a command. */
export async function needs (command: string): Promise<{ skip?: string }> {
  return await has(command) ? {} : { skip: `needs ${command}` }
}
