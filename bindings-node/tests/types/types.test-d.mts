// What the types must allow, and what they must refuse. Compiled by `npm run check:types`, never run.

import portalloc, {
  ArgumentTypeError,
  Environment,
  Hold,
  InvalidArgumentError,
  Lease,
  PoolExhaustedError,
  PortallocError,
  PortReport,
  attachEnvironment,
  createEnvironment,
  createEnvironmentAsync,
  currentEnvironment,
  doctor,
  environments,
  errorCodes,
  giveBack,
  isFree,
  lease,
  leaseAsync,
  port,
  render,
  settings,
  version,
  waitUntilFree,
  waitUntilOpen,
  who,
  worktreeEnvironment,
  worktreeEnvironmentAsync,
} from 'portalloc';
import type { ErrorCode, LeaseOptions } from 'portalloc';
import * as net from 'node:net';

const same = <T,>(_value: T): void => undefined;

same<'ok' | 'note' | 'broken' | 'skipped' | undefined>(doctor().checks[0]?.status);
same<number | undefined>(doctor({ explain: 5, pool: '20000-20010' }).explanation?.census?.longestRun);
// @ts-expect-error no such option
doctor({ count: 5 });
same<Lease>(lease());
same<Lease>(lease(5));
same<number>(lease({ exact: new Set([1, 2]), guard: true, waitMs: Infinity }).port);
same<readonly number[]>(lease({ count: 2, scattered: true, pool: '20000-20010', exclude: '', stickyKey: 'web' }).ports);
same<number[]>([...lease(2)]);
same<'none' | 'shared' | 'exclusive'>(lease().guardState);
same<boolean>(lease().held);
same<boolean>(giveBack(port()) && giveBack(port({ pool: '20000-20010', exclude: '' })));
same<Promise<Lease>>(leaseAsync({ count: 1, signal: AbortSignal.timeout(5) }));
const options: LeaseOptions = { offsets: [0, 1] };
lease(options);
net.createServer().listen({ fd: lease().fd(0, { type: 'tcp', host: '::1', listen: false }) });

{
  using one = lease();
  await using two = await leaseAsync();
  using passed = one.inheritable();
  same<number | undefined>(passed.fd);
  same<number>(two.basePort);
}

const environment = createEnvironment({ names: ['web'], envFile: new URL('file:///x'), kept: true, ttlMs: 5 });
same<number>(environment.port('web') + environment.port(0));
same<Date | undefined>(environment.expiresAt);
same<string | undefined>(environment.variables['WEB_PORT']);
same<string>(environment.render('fish'));
same<Lease | undefined>(currentEnvironment({ names: ['web'] }).lease);
same<Promise<Environment>>(createEnvironmentAsync(3));
same<string>(attachEnvironment().id);
same<Date | undefined>(environments()[0]?.createdAt);
same<number | undefined>(environments()[0]?.holder?.pid);

const ours = worktreeEnvironment({ names: ['web'], prefer: 3000, repair: true });
same<string>(ours.id);
same<Environment | null>(worktreeEnvironment({ create: false }));
same<Promise<Environment>>(worktreeEnvironmentAsync({ prefer: [3000], signal: AbortSignal.timeout(5) }));
same<Promise<Environment | null>>(worktreeEnvironmentAsync({ create: ours.id === '' }));
same<Promise<void>>(ours.waitUntilOurs({ ports: ['web', 80], http: '/health', status: 204, waitMs: 0 }));
ours.stop({ ports: 'web', timeoutMs: 5, dryRun: true }).then(({ clear, processes }) => same<boolean>(clear && processes[0]?.outcome === 'ended'));
ours.down({ signal: AbortSignal.timeout(5) }).then((report) => same<string | undefined>(report.foreign[0]?.directory));
ours.writeBlock(new URL('file:///x'));
{
  using hold = ours.hold();
  using copy = hold.inheritable();
  same<number | undefined>(copy.fd);
}
same<Hold>(ours.hold());
// @ts-expect-error: it may not be there
same<string>(worktreeEnvironment({ create: false }).id);
// @ts-expect-error: it is kept
worktreeEnvironment({ kept: true });
// @ts-expect-error: all of its ports end
ours.down({ ports: 80 });
same<boolean>(isFree(80));
same<Promise<void>>(waitUntilOpen([80, 81], { waitMs: 0, signal: new AbortController().signal }));
same<Promise<void>>(waitUntilOpen(80, { http: '/health', status: 204 }));
same<Promise<void>>(waitUntilFree(80));
same<PortReport>(who(80));
same<string | undefined>([...who(80)][0]?.name);
same<Date | undefined>(who(80).lease?.since);
same<boolean>(who(80).leased);
same<string>(settings({ pool: '1-2' }).ports + version);
same<readonly ErrorCode[]>(errorCodes);
same<string>(render({ A: '1' }) + render([['A', '1']], 'dotenv'));
same<typeof lease>(portalloc.lease);

try {
  lease();
} catch (error) {
  if (error instanceof PoolExhaustedError) same<number>(error.census.free + error.census.longestRun);
  if (error instanceof ArgumentTypeError) same<InvalidArgumentError>(error);
  if (error instanceof InvalidArgumentError) same<PortallocError>(error);
  if (error instanceof PortallocError) {
    same<number | undefined>(error.cause?.errno);
    if (error.code === 'ERR_PORTALLOC_IO') same<string>(error.remedy);
    // @ts-expect-error: no such code of Node's kind
    if (error.code === 'io') same<string>(error.remedy);
    switch (error.portallocCode) {
      case 'port_in_use':
        same<readonly number[]>(error.ports);
        break;
      // @ts-expect-error: no such code
      case 'no_such_code':
        break;
    }
  }
}

// @ts-expect-error: a text is no number
lease('5');
// @ts-expect-error: nor is a BigInt
lease(5n);
// @ts-expect-error: no such option
lease({ cuont: 5 });
// @ts-expect-error: waiting can be cancelled only if JavaScript goes on meanwhile
lease({ waitMs: 5, signal: AbortSignal.timeout(5) });
// @ts-expect-error: leases are taken by lease()
new Lease();
// @ts-expect-error: errors are made by portalloc
new PoolExhaustedError();
// @ts-expect-error: ports are not changed
lease().ports[0] = 5;
// @ts-expect-error: nor is what was released
lease().released = true;
// @ts-expect-error: one port, and no wait for it
port({ count: 2 });
// @ts-expect-error: a lease is no number
giveBack(lease());
// @ts-expect-error: no such type of socket
lease().fd(0, { type: 'sctp' });
// @ts-expect-error: no such syntax
environment.render('csh');
// @ts-expect-error: an environment of this run is held
currentEnvironment({ kept: true });
// @ts-expect-error: a promise
same<Lease>(leaseAsync());
