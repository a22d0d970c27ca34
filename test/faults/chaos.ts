// `node test/dist/faults/chaos.js`: many requests over several backends that fail at random, for as long as one likes.
import { parseArgs } from 'node:util';
import { storm } from './storm.js';

const { values } = parseArgs({
  options: {
    backends: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '500' },
    requests: { type: 'string', default: '100000' },
    calm: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    'ejection-time': { type: 'string', default: '5000' },
  },
});

const report = await storm({
  backends: Number(values.backends),
  concurrency: Number(values.concurrency),
  requests: Number(values.requests),
  calm: Number(values.calm),
  seed: Number(values.seed),
  ejectionTime: Number(values['ejection-time']),
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
if (report.safe.errors.length + report.twice + report.invented + report.answeredTwice > 0)
  process.exitCode = 1;
