'use strict';

// The runner of tests/behaviours/*.json in Node: what every language must do alike, once as data.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const portalloc = require('portalloc');
const { world } = require('./world.js');

const RUN = 20;
const FOLDER = path.join(__dirname, '../../tests/behaviours');
const here = world(RUN);

/** Puts ports in the place of `$N`, also within other text; a text that is nothing else is a number in a list. */
function filled(value) {
  if (typeof value === 'string') return value.replace(/\$(\d+)/g, (_all, index) => String(here.base + Number(index)));
  if (Array.isArray(value)) {
    return value.map((item) => (/^\$\d+$/.test(item) ? here.base + Number(item.slice(1)) : filled(item)));
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item)]));
}

const source = ({ pool = here.pool, exclude = '' }) => ({ pool, exclude });

function holding({ leased, ...rest }, work) {
  const held = leased && portalloc.lease({ exact: leased, ...source(rest) });
  try {
    return work();
  } finally {
    held?.release();
  }
}

const OPERATIONS = {
  pool(given) {
    const { ports, count } = portalloc.settings(source(given));
    return { ports, count };
  },
  lease(given) {
    return holding(given, () => {
      const lease = portalloc.lease({ count: given.count, exact: given.ports, waitMs: given.wait_ms, ...source(given) });
      lease.release();
      return { count: lease.ports.length, ports: [...lease.ports] };
    });
  },
  check(given) {
    return holding(given, () => ({ free: given.ports.map((port) => portalloc.isFree(port)) }));
  },
  create_environment(given) {
    const environment = portalloc.createEnvironment({
      count: given.count,
      names: given.names,
      instanceId: given.instance_id,
      kept: given.kept,
      ttlMs: given.ttl_ms,
      ownerPid: given.owner_pid,
      envFile: given.env_file,
      worktree: given.worktree ?? here.work,
      ...source(given),
    });
    const answer = { variables: Object.keys(environment.variables), count: environment.ports.length };
    environment.cleanup();
    return answer;
  },
  parse_id: (given) => ({ id: portalloc.parseId(given.text ?? given.id) }),
  validate: (given) => ({ valid: portalloc.validate(given.id ?? given.text).valid }),
  cleanup: (given) => ({ removed: portalloc.cleanup(given.id ?? given.text) ? 1 : 0 }),
  render: (given) => ({ text: portalloc.render(given.variables, given.syntax) }),
  error_codes: () => ({ codes: [...portalloc.errorCodes] }),
};

let cases = 0;
for (const file of fs.readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  for (const raw of JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8'))) {
    cases += 1;
    test(`${file} ${raw.name}`, () => {
      process.env.PORTALLOC_DIR = path.join(here.scratch, `registry-${raw.name}`.replaceAll('/', '-'));
      const { operation, arguments: given, expect, error: code, message = [] } = filled(raw);
      const perform = () => OPERATIONS[operation](given);
      if (code === undefined) {
        const done = perform();
        for (const [name, value] of Object.entries(expect)) assert.deepEqual(done[name], value, name);
        return;
      }
      assert.throws(perform, (error) => {
        assert.equal(error.portallocCode, code, error.stack);
        assert(error instanceof portalloc.PortallocError);
        for (const part of message) assert(error.message.includes(String(part)), `${part} in ${error.message}`);
        return true;
      });
    });
  }
}

test('there are many', () => assert(cases > 80, `${cases} cases`));
