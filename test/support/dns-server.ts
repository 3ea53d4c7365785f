import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns'
import { once } from 'node:events'
import { isIPv4, type LookupFunction } from 'node:net'
import type { Test } from 'tap'

/** A DNS server (RFC 1035) on the loopback, for names that a test makes up. */
export interface DnsServer {
  /** How often each name was asked for, by type. */
  readonly asked: readonly string[]
  /** Resolves names by this server, as `dns.lookup` does by the system's. */
  readonly lookup: LookupFunction
}

const TYPE_A = 1
const TYPE_AAAA = 28

/**
 * Starts it; it stops when the test ends.
 *
 * @param names the addresses of each name; a list of lists has one for each time that the name is looked up, the last for good
 */
export async function startDnsServer (t: Test, names: Readonly<Record<string, readonly string[] | ReadonlyArray<readonly string[]>>>): Promise<DnsServer> {
  const asked: string[] = []
  const lookedUp = new Map<string, number>()
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => {
    const { name, type, question } = readQuestion(query)
    asked.push(name)
    const time = lookedUp.get(`${name} ${type}`) ?? 0
    lookedUp.set(`${name} ${type}`, time + 1)
    const rounds = toRounds(names[name] ?? [])
    const addresses = (rounds[Math.min(time, rounds.length - 1)] ?? []).filter(found => isIPv4(found) === (type === TYPE_A))
    server.send(writeResponse(query, question, addresses, name in names), port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())

  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${server.address().port}`])
  function find (lookUp: (name: string, callback: (error: Error | null, found: string[]) => void) => void, name: string, family: 4 | 6) {
    return new Promise<Array<{ address: string, family: number }>>(resolve => {
      lookUp.call(resolver, name, (error: Error | null, found: string[]) => { resolve(error === null ? found.map(address => ({ address, family })) : []) })
    })
  }

  return {
    asked,
    lookup (name, { all }, callback) {
      Promise.all([find(resolver.resolve4, name, 4), find(resolver.resolve6, name, 6)]).then(found => {
        const [first, ...rest] = found.flat()
        if (first === undefined) callback(Object.assign(new Error(`${name} was not found`), { code: 'ENOTFOUND' }), [])
        else if (all === true) callback(null, [first, ...rest])
        else callback(null, first.address, first.family)
      }, (error: Error) => callback(error, []))
    }
  }
}

function toRounds (addresses: readonly string[] | ReadonlyArray<readonly string[]>): ReadonlyArray<readonly string[]> {
  return addresses.every(round => typeof round === 'string') ? [addresses as readonly string[]] : addresses as ReadonlyArray<readonly string[]>
}

function readQuestion (query: Buffer) {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), question: query.subarray(12, at + 5) }
}

function writeResponse (query: Buffer, question: Buffer, addresses: readonly string[], isKnown: boolean): Buffer {
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(isKnown ? 0x8180 : 0x8183, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(addresses.length, 6)
  return Buffer.concat([header, question, ...addresses.map(writeRecord)])
}

// Its name is a pointer to that of the question; it lives for no time at all.
function writeRecord (address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : Buffer.from(expandIPv6(address), 'hex')
  const record = Buffer.alloc(12)
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(isIPv4(address) ? TYPE_A : TYPE_AAAA, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt16BE(data.length, 10)
  return Buffer.concat([record, data])
}

function expandIPv6 (address: string): string {
  const [head = '', tail] = address.split('::').map(part => part.split(':').filter(Boolean).map(group => group.padStart(4, '0')).join(''))
  return tail === undefined ? head : head + '0'.repeat(32 - head.length - tail.length) + tail
}
