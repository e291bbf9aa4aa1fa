// The same for `import`: one set of classes, whichever way it is loaded.

import portalloc from './index.js';

export const {
  ArgumentTypeError,
  EnvFileExistsError,
  Environment,
  IdExhaustedError,
  InUseError,
  Inheritable,
  InternalError,
  InvalidArgumentError,
  InvalidIdError,
  IoError,
  Lease,
  NotFoundError,
  PermissionDeniedError,
  PoolExhaustedError,
  PortInUseError,
  PortReport,
  PortallocError,
  RegistryUnusableError,
  TimeoutError,
  UnsupportedError,
  cleanup,
  cleanupStale,
  environments,
  errorCodes,
  isFree,
  lease,
  leaseAsync,
  leases,
  parseId,
  render,
  settings,
  validate,
  version,
  waitFor,
  waitFree,
  who,
} = portalloc;

export default portalloc;
