/** A piece of HTML. Only `html` makes one, so what is not one is text, and is escaped. */
export class Html {
  readonly #text: string

  constructor (text: string, key: symbol) {
    if (key !== KEY) throw new TypeError('HTML is made by the html tag')
    this.#text = text
  }

  toString (): string {
    return this.#text
  }
}

/** What a hole of a template takes. Nothing is written for null, undefined and false. */
export type Child = Html | string | number | null | undefined | false | readonly Child[]

const KEY = Symbol('html')

/** A hole in a double- or single-quoted attribute, or between elements. */
type Place = 'attribute' | 'content'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const placesOf = new WeakMap<TemplateStringsArray, readonly Place[]>()

/** @returns text that stands for itself between elements and in quoted attributes */
export function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? character)
}

/**
 * Writes HTML. Whatever is put into a hole is escaped, unless it is HTML itself and stands between elements.
 *
 * @throws TypeError at a template's first use, where a hole is not safe by escaping: see `holesOf`
 */
export function html (strings: TemplateStringsArray, ...children: readonly Child[]): Html {
  let places = placesOf.get(strings)
  if (places === undefined) placesOf.set(strings, places = holesOf(strings))
  let text = strings[0] ?? ''
  children.forEach((child, index) => { text += write(child, places[index] ?? 'content') + (strings[index + 1] ?? '') })
  return new Html(text, KEY)
}

function write (child: Child, place: Place): string {
  if (child === null || child === undefined || child === false) return ''
  if (child instanceof Html) return place === 'content' ? child.toString() : escapeHtml(child.toString())
  return Array.isArray(child) ? child.map(each => write(each as Child, place)).join('') : escapeHtml(String(child))
}

const CONTENT = /[^<]+|<!--[^]*?-->|<!doctype[^>]*>|<\/[a-z][^\s>]*\s*>|<[a-z][^\s/>]*/iy
const TAG = /[\s/]+|>|[^\s"'<>/=]+(?:=(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+(?=[\s>])))?/y
const QUOTED = /^([^=]+)=["']/
// Text within these elements is not HTML.
const RAW = /^<(script|style|xmp|iframe|noembed|noframes|noscript|plaintext)$/i
// Their values are code, or a page: escaping does not make them safe.
const ACTIVE = /^(?:on.*|style|srcdoc)$/i
// No HTML that anybody writes has it.
const HOLE = '\0'

/**
 * Where the holes of a template are: between elements, or in the quoted value of an attribute.
 *
 * @param parts the text around the holes
 * @throws TypeError for a hole anywhere else (an unquoted attribute, a tag, script, style, a comment, an event handler) and
 *   for a template that ends within a tag
 */
export function holesOf (parts: readonly string[]): Place[] {
  const text = parts.join(HOLE)
  const places: Place[] = []
  let at = 0
  let element: string | undefined

  function next (pattern: RegExp): string {
    pattern.lastIndex = at
    const piece = pattern.exec(text)?.[0]
    if (piece === undefined) refuse()
    at += piece.length
    return piece
  }

  function refuse (): never {
    throw new TypeError(`A template has a hole, or ends, where escaping is not enough: ${text.slice(Math.max(0, at - 40), at + 20).replaceAll(HOLE, '[hole]')}`)
  }

  function take (piece: string, place: Place): void {
    for (const character of piece) if (character === HOLE) places.push(place)
  }

  while (at < text.length) {
    if (element === undefined) {
      const piece = next(CONTENT)
      if (/^<[a-z]/i.test(piece)) element = piece
      if (!piece.startsWith('<')) take(piece, 'content')
      else if (piece.includes(HOLE)) refuse()
      continue
    }
    const piece = next(TAG)
    const [, attribute = ''] = QUOTED.exec(piece) ?? []
    if (piece.includes(HOLE) && (attribute === '' || attribute.includes(HOLE) || ACTIVE.test(attribute))) refuse()
    take(piece, 'attribute')
    if (piece !== '>') continue
    const [, raw] = RAW.exec(element) ?? []
    if (raw !== undefined && next(new RegExp(`[^]*?</${raw}\\s*>`, 'iy')).includes(HOLE)) refuse()
    element = undefined
  }
  if (element !== undefined || parts.length !== places.length + 1) refuse()
  return places
}
