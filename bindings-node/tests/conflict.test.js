'use strict';

// What the reporters take from errors: ports by which Node's errors and ours name them, causes, and output of processes.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { before, after, test } = require('node:test');

const { lease } = require('portalloc');
const { explain } = require('../runners/shared/conflict.js');
const { world } = require('./world.js');

world();
const server = net.createServer();
let port;
let seen;

before(async () => {
  const held = lease();
  ({ port } = held);
  await once(server.listen(port, '127.0.0.1'), 'listening');
  held.release();
  seen = new RegExp(`^port ${port} is in use by this process, PID ${process.pid} .*; it is open in this process as a Server$`);
});
after(() => server.close());

const FAILURES = {
  "Node's own error": () => [Object.assign(new Error('listen'), { code: 'EADDRINUSE', port })],
  'an error of this package, as a plain object': () => [{ code: 'ERR_PORTALLOC_PORT_IN_USE', ports: [port], message: 'x' }],
  'an error without a port, in another language': () => [{ code: 'EADDRINUSE', message: `Adresse wird schon benutzt: 127.0.0.1:${port}` }],
  'a cause of a cause': () => [new Error('a', { cause: new Error('b', { cause: { code: 'EADDRINUSE', port } }) })],
  'one error of several': () => [new AggregateError([new Error('a'), Object.assign(new Error('b'), { code: 'EADDRINUSE', port })])],
  'the output of a child process, in bytes': () => [{ stderr: Buffer.from(`listen EADDRINUSE: address already in use :::${port}`) }],
  'a text': () => [`listen EADDRINUSE: address already in use :::${port}`],
};

for (const [name, failures] of Object.entries(FAILURES)) {
  test(name, () => {
    const [sentence, ...more] = explain(failures());
    assert.match(sentence, seen);
    assert.deepEqual(more, []);
  });
}

test('it says where this process leased the port', async () => {
  const held = lease();
  const here = new Error().stack.match(/conflict\.test\.js:(\d+)/)[1] - 1;
  const own = net.createServer();
  await once(own.listen(held.port, '127.0.0.1'), 'listening');
  const [sentence] = explain([{ code: 'EADDRINUSE', port: held.port }]);
  own.close();
  held.release();
  assert.match(sentence, new RegExp(`; held by this process, leased at ${__filename}:${here}, since `));
});

test('anything else is no conflict', () => {
  const circular = new Error(`port ${port}`);
  circular.cause = circular;
  for (const failure of [circular, null, undefined, 5, { code: 'EADDRINUSE', port: 'x' }, { code: 'EACCES', port }]) {
    assert.deepEqual(explain([failure]), []);
  }
});
