// What a turn costs as its thread grows, drawn: milliseconds and bytes against length, both axes logarithmic.
import type { Figures, Row } from './rows.ts'

/** Of the round trips that were measured, the one that is drawn. */
const drawnRttMs = 5

type Name = 'ours' | 'oursCached' | 'theirs' | 'theirsExit'

interface Panel {
  readonly title: string
  readonly left: number
  readonly value: (figures: Figures) => number
  /** Powers of ten. */
  readonly from: number
  readonly to: number
  readonly label: (power: number) => string
}

/** As wide as the labels need. */
const legendPlaces = [20, 160, 390, 520]

const top = 84
const width = 290
const height = 230
const panels: readonly Panel[] = [
  {
    title: `Median time of a turn, ${drawnRttMs} ms a round trip`,
    left: 70,
    value: ({ p50Ms }) => p50Ms,
    from: 1,
    to: 4,
    label: (power) => ['1 ms', '10 ms', '100 ms', '1 s', '10 s'][power] ?? '',
  },
  {
    title: 'Written a turn, snapshots apart',
    left: 470,
    value: ({ bytes }) => bytes,
    from: 3,
    to: 7,
    label: (power) => ['1 KB', '10 KB', '100 KB', '1 MB', '10 MB'][power - 3] ?? '',
  },
]

const sides: readonly { readonly name: Name; readonly label: string }[] = [
  { name: 'theirs', label: 'LangGraph.js' },
  { name: 'theirsExit', label: 'LangGraph.js, durability exit' },
  { name: 'ours', label: 'recollect' },
  { name: 'oursCached', label: 'recollect with its cache' },
]

export function costByLength(rows: readonly Row<Name>[]): string {
  const drawn = rows.filter(({ rttMs }) => rttMs === drawnRttMs)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 412" width="790" height="412" role="img"
  aria-label="What a turn costs as its thread grows: recollect and LangGraph.js">
<style>
  text { font: 12px system-ui, sans-serif; fill: #3c434d }
  .title { font-size: 13px; font-weight: 600 }
  path { fill: none; stroke-width: 2 }
  .grid { stroke: #8b949e; stroke-opacity: .35; stroke-width: 1 }
  .dash { stroke: #8b949e }
  .agentToolsAgent { stroke-dasharray: 6 4 }
${inks({ theirs: '#c2570c', theirsExit: '#8250df', ours: '#1f6feb', oursCached: '#1a7f4b' })}
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d1d9 }
${inks({ theirs: '#f0883e', theirsExit: '#bc8cff', ours: '#58a6ff', oursCached: '#3fb950' })}
  }
</style>
${legend()}
${panels.map((panel) => drawnPanel(panel, drawn)).join('\n')}
<text x="20" y="400">Made by: npm run bench -- peers --plot docs/cost-by-length.svg</text>
</svg>
`
}

function inks(colours: Readonly<Record<Name, string>>): string {
  const rules = Object.entries(colours).map(
    ([name, colour]) => `  path.${name} { stroke: ${colour} } circle.${name} { fill: ${colour} }`,
  )
  return rules.join('\n')
}

function legend(): string {
  const lines = sides.map(({ name, label }, index) => legendEntry(name, label, [legendPlaces[index] ?? 0, 16]))
  const dashes = ['one node', 'agent–tools–agent'].map((label, index) =>
    legendEntry(index === 1 ? 'dash agentToolsAgent' : 'dash', label, [legendPlaces[index] ?? 0, 38]),
  )
  return [...lines, ...dashes].join('\n')
}

function legendEntry(style: string, label: string, [x, y]: readonly [number, number]): string {
  return `<path class="${style}" d="M${x} ${y}h24"/><text x="${x + 30}" y="${y + 4}">${label}</text>`
}

function drawnPanel(panel: Panel, rows: readonly Row<Name>[]): string {
  const { title, left, from, to, label } = panel
  const lengths = [...new Set(rows.map(({ length }) => length))]
  const powers = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  const horizontal = powers.map((power) => {
    const y = heightOf(panel, 10 ** power)
    return `<path class="grid" d="M${left} ${y}h${width}"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${label(power)}</text>`
  })
  const vertical = lengths.map((length) => {
    const text = length.toLocaleString('en-US')
    return `<text x="${placeOf(left, length)}" y="${top + height + 20}" text-anchor="middle">${text}</text>`
  })
  const axis = `<text x="${left + width / 2}" y="${top + height + 42}" text-anchor="middle">turns in the thread</text>`
  const heading = `<text class="title" x="${left}" y="${top - 14}">${title}</text>`
  return [heading, ...horizontal, ...vertical, axis, ...curves(panel, rows)].join('\n')
}

function curves(panel: Panel, rows: readonly Row<Name>[]): string[] {
  return sides.flatMap(({ name }) =>
    ['oneNode', 'agentToolsAgent'].map((graph) => {
      const points = rows
        .filter((row) => row.graph === graph)
        .map((row) => [placeOf(panel.left, row.length), heightOf(panel, panel.value(row[name]))] as const)
      const line = `<path class="${name} ${graph}" d="M${points.map((point) => point.join(' ')).join('L')}"/>`
      const dots = points.map(([x, y]) => `<circle class="${name}" cx="${x}" cy="${y}" r="3"/>`)
      return line + dots.join('')
    }),
  )
}

/** From 1 to 1,000 turns. */
function placeOf(left: number, length: number): number {
  return Math.round(left + 14 + (Math.log10(length) / 3) * (width - 28))
}

function heightOf({ from, to }: Panel, value: number): number {
  return Math.round(top + height * (1 - (Math.log10(value) - from) / (to - from)))
}
