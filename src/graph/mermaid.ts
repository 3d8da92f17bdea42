// A graph as a Mermaid flowchart.
import { END } from './command.ts'
import type { Graph } from './graph.ts'

/** Static edges are solid. What a route names is only known when it runs: it ends in an empty diamond. */
export function mermaid(graph: Graph): string {
  const ids = new Map([...graph.nodes.keys()].map((name, index) => [name, `n${index}`]))
  const id = (name: string) => (name === 'start' ? 'start' : name === END ? 'finish' : (ids.get(name) ?? 'finish'))
  const lines = ['flowchart TD', '  start([start])', '  finish([end])']
  for (const [name, key] of ids) lines.push(`  ${key}["${label(name)}"]`)
  for (const [source, edge] of graph.edges) {
    if (typeof edge === 'function') lines.push(`  ${id(source)} -. route .-> ${id(source)}_route{ }`)
    else for (const target of edge) lines.push(`  ${id(source)} --> ${id(target)}`)
  }
  for (const name of graph.nodes.keys()) if (!graph.edges.has(name)) lines.push(`  ${id(name)} -.-> finish`)
  return lines.join('\n')
}

function label(name: string): string {
  return name.replace(/[^\p{L}\p{N}_ .-]/gu, (character) => `#${character.codePointAt(0)};`)
}
