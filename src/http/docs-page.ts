// The OpenAPI document as one page of plain HTML: no script, and nothing from other hosts.
import { isRecord } from '../kernel/json.ts'

export function docsPage(document: unknown): string {
  const { info, paths, components } = record(document)
  const { title, version, description } = record(info)
  const operations = Object.entries(record(paths)).flatMap(([path, methods]) =>
    Object.entries(record(methods)).map(([method, operation]) => ({ path, method, operation: record(operation) })),
  )
  const tags = [...new Set(operations.map(({ operation }) => tagOf(operation)))]
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => tagOf(operation) === tag)
    return `<h2>${escaped(tag)}</h2>${own.map(operationHtml).join('')}`
  })
  const schemas = Object.entries(record(record(components).schemas)).map(
    ([name, schema]) =>
      `<details id="${escaped(name)}"><summary>${escaped(name)}</summary>${schemaHtml(schema)}</details>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}: HTTP</title><style>${style}</style></head><body>
<h1>${escaped(title)} ${escaped(version)}</h1><p>${escaped(description)}</p>
${sections.join('')}<h2>Shapes</h2>${schemas.join('')}</body></html>`
}

interface Operation {
  readonly path: string
  readonly method: string
  readonly operation: Readonly<Record<string, unknown>>
}

function operationHtml({ path, method, operation }: Operation): string {
  const { summary, description, parameters, requestBody, responses } = operation
  const scopes = list(operation['x-scopes'])
  const scope = scopes.length === 0 ? 'no token' : `scope ${scopes.map(String).join(' or ')}`
  const parts = [
    description === undefined ? '' : `<p>${escaped(description)}</p>`,
    ...list(parameters).map((parameter) => {
      const { name, in: place, required } = record(parameter)
      return `<p><code>${escaped(name)}</code> in the ${escaped(place)}${required === true ? '' : ', optional'}</p>`
    }),
    requestBody === undefined ? '' : `<h4>Body</h4>${contentHtml(requestBody)}`,
    ...Object.entries(record(responses))
      .filter(([status]) => status !== 'default')
      .map(([status, response]) => {
        const { description: meaning } = record(response)
        return `<h4>${escaped(status)} ${escaped(meaning)}</h4>${contentHtml(response)}`
      }),
  ]
  return `<details><summary><b>${escaped(method.toUpperCase())}</b> <code>${escaped(path)}</code> ${escaped(summary)} <small>${escaped(scope)}</small></summary>${parts.join('')}</details>`
}

function contentHtml(part: unknown): string {
  return Object.entries(record(record(part).content))
    .map(([type, content]) => `<p><small>${escaped(type)}</small></p>${schemaHtml(record(content).schema)}`)
    .join('')
}

function schemaHtml(schema: unknown): string {
  const text = escaped(JSON.stringify(schema, null, 2))
  return `<pre>${text.replace(/#\/components\/schemas\/(\w+)/g, '<a href="#$1">$1</a>')}</pre>`
}

function tagOf(operation: Readonly<Record<string, unknown>>): string {
  return String(list(operation.tags)[0] ?? '')
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function escaped(value: unknown): string {
  return String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
details{border:1px solid #ddd;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}
pre{background:#f5f5f7;padding:.6rem;border-radius:6px;overflow:auto;font-size:13px}small{color:#666}h4{margin:.8rem 0 .2rem}
@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#16161a}details{border-color:#333}pre{background:#1f1f25}a{color:#9bf}}`
