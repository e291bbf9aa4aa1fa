'use strict';

// The suite that shows whether ports collide: 40 files with five servers each, in step. Eight at a time take their ports,
// wait until all eight have theirs, and bind them; so a port that two of them were given cannot go unnoticed. Asked of the
// kernel (bind to port 0, close, use the number), from a range of 32, the forty ports of eight files cannot all differ: the
// control fails with certainty, not by luck. Knows no runner.

const { spawnSync } = require('node:child_process');

const FILES = 40;
const TOGETHER = 8;
const SERVERS = 5;

const HELPER = `
const fs = require('node:fs');
const net = require('node:net');
const record = require('./record.js');
const until = async (holds) => {
  const deadline = Date.now() + 200000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('the others do not come');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
const count = (name) => fs.readFileSync(name, 'utf8').split('\\n').length - 1;
const bind = (port) => new Promise((resolve, reject) => {
  const server = net.createServer();
  server.once('error', reject).listen(port, '0.0.0.0', () => resolve(server));
});
async function askFor() {
  for (;;) {
    try {
      const server = await bind(0);
      const { port } = server.address();
      await new Promise((resolve) => server.close(resolve));
      return port;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error; // the others have all of them just now
    }
  }
}
let turns = 0;
async function meet(what, group) {
  const name = __dirname + '/meeting-' + group + '-' + what;
  fs.appendFileSync(name, 'x\\n');
  await until(() => count(name) >= ${TOGETHER});
}
module.exports = async function serve(file, lease) {
  const tickets = __dirname + '/tickets';
  fs.appendFileSync(tickets, file + '\\n');
  const ticket = fs.readFileSync(tickets, 'utf8').split('\\n').indexOf(String(file));
  const group = Math.floor(ticket / ${TOGETHER});
  const ports = [];
  if (process.env.ASK_THE_KERNEL) for (let i = 0; i < ${SERVERS}; i += 1) ports.push(await askFor());
  else ports.push(...lease(${SERVERS}));
  record({ file, group, ports });
  await meet('have-ports', group);
  const bound = await Promise.allSettled(ports.map(bind));
  await meet('have-bound', group);
  for (const { value } of bound) value?.close();
  const failed = bound.find(({ reason }) => reason);
  if (failed) throw failed.reason;
};
`;

/** In a network of its own, whose ephemeral ports are 32. */
const NARROW = 'ip link set lo up && echo 40000 40031 > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"';

/** The words before a command that runs it in such a network, or why there are none. */
function narrowNetwork() {
  const prefix = ['unshare', '--net', 'sh', '-c', NARROW, 'narrow'];
  const tried = spawnSync(prefix[0], [...prefix.slice(1), 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? { prefix } : { reason: `no network namespace: ${tried.error?.message ?? tried.stderr.trim()}` };
}

/** The files of the suite; `body` is the text of each, of its number. */
const files = (extension, body) => ({
  'serve.js': HELPER,
  ...Object.fromEntries(Array.from({ length: FILES }, (_, file) => [`file-${file}.test.${extension}`, body(file)])),
});

/** The ports of each group of files that ran together. */
function groups(told) {
  const found = new Map();
  for (const { group, ports } of told) found.set(group, [...(found.get(group) ?? []), ...ports]);
  return [...found.values()];
}

module.exports = { FILES, SERVERS, TOGETHER, files, groups, narrowNetwork };
