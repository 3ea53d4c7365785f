// As much of HTTP/1.1 as a loader must read.
const HEADERS_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

export function statusOf (answer) {
  return (answer[9] - 48) * 100 + (answer[10] - 48) * 10 + answer[11] - 48
}

/** How long the whole answer is, in bytes; `undefined` while that cannot be told. */
export function sizeOfAnswer (answer) {
  const end = answer.indexOf(HEADERS_END)
  if (end < 0) return undefined
  const headers = answer.latin1Slice(0, end).toLowerCase()
  const length = /\r\ncontent-length: (\d+)/.exec(headers)
  if (length) return end + 4 + Number(length[1])
  if (!headers.includes('\r\ntransfer-encoding: chunked')) return end + 4
  return answer.subarray(-5).equals(LAST_CHUNK) ? answer.length : undefined
}
