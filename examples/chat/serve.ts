// Serves the page: `node examples/chat/serve.ts`, then open the address with the token that `npm run dev` printed.
import { fileURLToPath } from 'node:url'
import { context } from 'esbuild'

export async function serveChat(port = 0) {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const build = await context({
    entryPoints: [`${folder}/chat.tsx`],
    outdir: folder,
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'warning',
  })
  const served = await build.serve({ servedir: folder, host: '127.0.0.1', port })
  return { url: `http://127.0.0.1:${served.port}`, close: () => build.dispose() }
}

if (import.meta.main) {
  const { url } = await serveChat(5173)
  console.log(`${url}/#api=http://localhost:8787&thread=my-first-thread&token=<token>`)
}
