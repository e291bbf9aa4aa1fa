// The same types by `require`.

import portalloc = require('portalloc');

const lease: portalloc.Lease = portalloc.lease(2);
const code: portalloc.ErrorCode | undefined = portalloc.errorCodes[0];
export = [lease, code];
