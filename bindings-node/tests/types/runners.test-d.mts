// What the types of the runners' helpers must allow, and what they must refuse. Compiled, never run.

import { inject } from 'vitest';
import nodeTest from 'node:test';
import type { Lease } from 'portalloc';
import * as jest from 'portalloc/jest';
import jestSetup from 'portalloc/jest/setup';
import jestTeardown from 'portalloc/jest/teardown';
import vitestSetup, * as vitest from 'portalloc/vitest';
import { environment, ports } from 'portalloc/playwright';
import * as onNodeTest from 'portalloc/node-test';
import * as mocha from 'portalloc/mocha';

export const setups = [
  jest.setup(),
  jest.setup({ names: ['web'], leak: 'error', pool: '20000-20999' }),
  jest.setup((config) => ({ count: config.maxWorkers })),
  vitest.setup({ names: ['web'] }),
  vitest.setup(async (project) => ({ instanceId: project.name })),
  jestSetup,
  jestTeardown,
  vitestSetup,
];
// @ts-expect-error: no such mode
jest.setup({ leak: 'loud' });
// @ts-expect-error: names are texts
vitest.setup({ names: [1] });

export const leases: Lease[] = [jest.leaseForTest(), vitest.leaseForTest(2), mocha.leaseForTest({ count: 1, leak: 'off' })];
nodeTest('x', (t) => {
  const { port }: { port: number } = onNodeTest.leaseForTest(t, { guard: true });
  return void port;
});

const told = inject('portalloc');
export const provided: [string, number[], string | undefined] = [told.id, told.ports, told.variables['WEB_PORT']];
// @ts-expect-error: there is no such fact
told.nothing;

const { web } = ports('web', 'api');
export const port: number = web;
// @ts-expect-error: this name was not asked for
ports('web').api;
export const id: string = environment({ names: ['web'] }).id;
