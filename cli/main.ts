// `npm run recollect -- COMMAND`: for operators, against the local stack or a deployment. It speaks to the documented routes only.
import { recollect } from './run.ts'

const { code, stdout, stderr } = await recollect(process.argv.slice(2), process.env)
process.stdout.write(stdout)
process.stderr.write(stderr)
process.exitCode = code
