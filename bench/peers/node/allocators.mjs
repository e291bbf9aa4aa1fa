// Who is compared in Node: how each is asked for ports, and how they are given back. Knows nothing of the workload. Each is
// imported only where it is the one that is measured, so that nobody's memory is another's.

import net from 'node:net';
import process from 'node:process';

const range = process.env.PEERS_RANGE?.split('-').map(Number);

/** Ports from what gives one at a call, which is told the last one. */
async function singly(count, pick) {
  const ports = [];
  for (let index = 0; index < count; index += 1) ports.push(await pick(ports.at(-1)));
  return ports;
}

function listening() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => resolve(probe));
  });
}

const contestants = {
  async 'portalloc-node'() {
    const { lease } = await import(process.env.PEERS_PORTALLOC_NODE);
    let held;
    return {
      allocate(count) {
        held = lease(count);
        return [...held.ports];
      },
      release: () => held.release(),
    };
  },

  async 'bind0-node'() {
    return {
      // All at once, so that they differ.
      async allocate(count) {
        const probes = await Promise.all(Array.from({ length: count }, listening));
        const ports = probes.map((probe) => probe.address().port);
        await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
        return ports;
      },
    };
  },

  async 'get-port'() {
    const { default: getPort, portNumbers } = await import('get-port');
    // Its numbers can be gone through once only.
    const options = () => (range ? { port: portNumbers(...range) } : undefined);
    return { allocate: (count) => singly(count, () => getPort(options())) };
  },

  async 'get-port-please'() {
    const { getPort } = await import('get-port-please');
    const [low, high] = range ?? [3000, 3100];
    const first = () => (range ? getPort({ portRange: range, random: false }) : getPort());
    // It knows nothing of what it gave before, so for more than one the search goes on behind the last.
    const next = (last) => getPort({ portRange: [last < high ? last + 1 : low, high] });
    return { allocate: (count) => singly(count, (last) => (last ? next(last) : first())) };
  },

  async 'detect-port'() {
    const { detect } = await import('detect-port');
    return { allocate: (count) => singly(count, (last) => detect(last ? last + 1 : 3000)) };
  },

  async portfinder() {
    const { default: portfinder } = await import('portfinder');
    const options = range ? { port: range[0], stopPort: range[1] } : {};
    return { allocate: (count) => portfinder.getPortsPromise(count, { ...options }) };
  },
};

export const named = (name) => contestants[name]();
