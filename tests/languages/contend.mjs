// The contender in Node: see README.md.

import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';

const { leaseAsync } = await import(process.env.PORTALLOC_NODE ?? 'portalloc');

const [journal, times, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const notes = openSync(journal, 'a');
const note = (what, base) => writeSync(notes, `${what} ${process.pid} ${base} ${count}\n`);

await once(process.stdin, 'data');
for (let served = 0; served < times; served++) {
  const lease = await leaseAsync({ count, timeoutMs: 60_000 });
  const servers = await Promise.all(
    lease.ports.map(async (port) => {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  note('took', lease.basePort);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  note('gave', lease.basePort);
  lease.release();
}
console.log(times);
process.stdin.destroy();
