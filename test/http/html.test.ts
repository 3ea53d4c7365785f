import fc from 'fast-check'
import { parseDocument } from 'htmlparser2'
import t from 'tap'
import { escapeHtml, holesOf, Html, html, type Child } from '../../src/http/html.ts'

/** The text and the attributes that a parser finds. */
function parsed (source: Html): { text: string, title: string | undefined, elements: number } {
  const [element, ...others] = parseDocument(source.toString()).children
  if (element?.type !== 'tag' || others.length > 0) return { text: '', title: undefined, elements: -1 }
  const text = element.children.map(child => child.type === 'text' ? child.data : '<element>').join('')
  return { text, title: element.attribs.title, elements: element.children.filter(({ type }) => type !== 'text').length }
}

t.test('whatever is put into a hole is text, between elements and in attributes', async t => {
  const texts = fc.string({ unit: fc.oneof(fc.constantFrom('<', '>', '"', "'", '&', '`', '=', '/', '!', '-', ' ', '&amp;', '&lt;', '</p>', '<!--', '-->', 'javascript:', '\n'), fc.string({ unit: 'grapheme', maxLength: 3 })) })
  fc.assert(fc.property(texts, texts, (title, text) => {
    // A parser gives line ends as one character, and no NUL.
    fc.pre(!/[\r\0]/.test(title + text))
    t.strictSame(parsed(html`<p title="${title}">${text}</p>`), { title, text, elements: 0 })
    t.strictSame(parsed(html`<p class='a' title='${title}' hidden>${[text, '!']}</p>`), { title, text: `${text}!`, elements: 0 })
  }), { numRuns: 300 })
})

t.test('nothing that is escaped has a character with a meaning', async t => {
  fc.assert(fc.property(fc.string(), text => !/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/.test(escapeHtml(text))))
  t.equal(escapeHtml('<a href="x">&\'</a>'), '&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;')
})

t.test('HTML in HTML is HTML, but text in an attribute', async t => {
  const bold = html`<b>${'<Ada>'}</b>`
  t.equal(html`<p>${bold}</p>`.toString(), '<p><b>&lt;Ada&gt;</b></p>')
  t.equal(html`<ul>${['a', 'b'].map(each => html`<li>${each}</li>`)}</ul>`.toString(), '<ul><li>a</li><li>b</li></ul>')
  t.equal(html`<p title="${bold}"></p>`.toString(), '<p title="&lt;b&gt;&amp;lt;Ada&amp;gt;&lt;/b&gt;"></p>')
})

t.test('nothing is written for what is absent, and numbers are', async t => {
  const absent: Child[] = [null, undefined, false, '', []]
  t.equal(html`<p>${absent}${0}${-1.5}</p>`.toString(), '<p>0-1.5</p>')
})

t.test('a hole where escaping is not enough is refused, at the first use', async t => {
  const refused: Array<[name: string, make: (text: string) => Html]> = [
    ['an unquoted attribute', text => html`<p title=${text}>x</p>`],
    ['part of an unquoted attribute', text => html`<p title=a${text} lang="en">x</p>`],
    ['the name of an attribute', text => html`<p ${text}="a">x</p>`],
    ['an attribute', text => html`<p ${text}>x</p>`],
    ['part of an attribute\'s name', text => html`<p data-${text}="a">x</p>`],
    ['the name of an element', text => html`<${text}>x</p>`],
    ['part of the name of an element', text => html`<h${text}>x</h1>`],
    ['the name of an end tag', text => html`<p>x</${text}>`],
    ['a script', text => html`<script>let a = "${text}"</script>`],
    ['a script with attributes', text => html`<SCRIPT type="module">${text}</SCRIPT>`],
    ['a style', text => html`<style>${text}</style>`],
    ['a comment', text => html`<!-- ${text} -->`],
    ['a doctype', text => html`<!doctype ${text}>`],
    ['an event handler', text => html`<p onclick="go('${text}')">x</p>`],
    ['the attribute style', text => html`<p style="color: ${text}">x</p>`],
    ['the attribute srcdoc', text => html`<iframe srcdoc="${text}"></iframe>`],
    ['a frame', text => html`<iframe>${text}</iframe>`],
    ['an end within a tag', text => html`<p>${text}</p><p title="`],
    ['an end within an attribute', text => html`<p title="${text}`],
    ['an attribute without a space before it', text => html`<p title="a"lang=${text}>x</p>`],
    ['a script that does not end', text => html`<script>${text}`]
  ]
  for (const [name, make] of refused) t.throws(() => make('a'), TypeError, name)
})

t.test('what pages are made of is taken', async t => {
  t.strictSame(holesOf(['<!doctype html><html lang="', '"><head><title>', '</title><meta charset=utf-8><style>a > b { color: red }</style><script type="module" src="', '" async></script></head><body><!-- a > b --><input disabled value=\'', '\'/><br/>1 &lt; 2 ', '</body></html>']),
    ['attribute', 'content', 'attribute', 'attribute', 'content'])
  t.equal(html`<a class="button ${'wide'}" href="/a?b=${'1&2'}">Go</a>`.toString(), '<a class="button wide" href="/a?b=1&amp;2">Go</a>')
})

t.test('nobody else makes HTML', async t => {
  t.throws(() => new Html('<b>', Symbol('html')), TypeError)
})
