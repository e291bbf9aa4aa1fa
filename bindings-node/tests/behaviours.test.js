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
// A pool is an argument, or the project's.
delete process.env.PORTALLOC_POOL;

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

async function holding({ leased, ...rest }, work) {
  const held = leased && portalloc.lease({ exact: leased, ...source(rest) });
  try {
    return await work();
  } finally {
    held?.release();
  }
}

/** Writes the files of a project. */
function write(files = {}) {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(here.work, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}

/** Empties the worktree, in which a project file may have a mistake, and removes its environments. */
function tidy() {
  for (const name of fs.readdirSync(here.work)) fs.rmSync(path.join(here.work, name), { recursive: true });
  portalloc.environments().forEach(({ isolationId }) => portalloc.cleanup(isolationId));
}

/** What all environments are asked for with. */
const wanted = ({ pool, exclude, count, names, instance_id: instanceId, prefer, worktree }) => {
  return { pool, exclude, count, names, instanceId, prefer, worktree };
};

/** What an environment is, with the values of the variables that the case wants to see. */
const described = ({ show = [] }, { ports, variables }) => ({
  count: ports.length,
  ports: [...ports],
  variables: Object.keys(variables),
  values: show.map((name) => (/^\d+$/.test(variables[name]) ? Number(variables[name]) : variables[name])),
});

/** Does some work where a case makes its first call. */
function inside({ from = '.' }, work) {
  process.chdir(path.join(here.work, from));
  try {
    return work();
  } finally {
    process.chdir(here.work);
  }
}

/** The environment that the call which a case makes first gives. */
function first(given, how = {}) {
  const environment = inside(given, () => portalloc.worktreeEnvironment({ ...wanted(given), ...how }));
  if (environment === null) throw new portalloc.NotFoundError({ code: 'not_found', message: 'there is none' });
  return environment;
}

const OPERATIONS = {
  pool(given) {
    const { ports, count } = portalloc.settings(source(given));
    return { ports, count };
  },
  lease(given) {
    return holding(given, () => {
      const { count, ports: exact, prefer, wait_ms: waitMs } = given;
      const lease = portalloc.lease({ count, exact, prefer, waitMs, ...source(given) });
      lease.release();
      return { count: lease.ports.length, ports: [...lease.ports] };
    });
  },
  check(given) {
    return holding(given, () => ({ free: given.ports.map((port) => portalloc.isFree(port)) }));
  },
  create_environment(given) {
    return holding(given, () => {
      const environment = portalloc.createEnvironment({
        kept: given.kept,
        ttlMs: given.ttl_ms,
        ownerPid: given.owner_pid,
        envFile: given.env_file,
        ...wanted(given),
      });
      const answer = described(given, environment);
      environment.cleanup();
      return answer;
    });
  },
  worktree_environment(given) {
    return holding(given, async () => {
      const environment = first(given);
      const again = portalloc.worktreeEnvironment({
        ...wanted(given),
        worktree: undefined,
        instanceId: given.instance_id_again ?? given.instance_id,
      });
      const same = again.id === environment.id;
      const answer = { ...described(given, environment), same, found: first(given, { create: false }).id === environment.id };
      const ends = [await environment.down(), ...(same ? [] : [await again.down()])];
      const found = inside(given, () => portalloc.worktreeEnvironment({ ...wanted(given), create: false }));
      return { ...answer, removed: ends.every(({ removed }) => removed), found_after: found !== null };
    });
  },
  find_worktree_environment: (given) => described(given, first(given, { create: false })),
  repair_worktree_environment(given) {
    return holding(given, () => {
      const before = first(given);
      write(given.project_after);
      const after = first(given, { repair: true });
      return { ...described(given, after), same: before.id === after.id };
    });
  },
  async stop(given) {
    const { processes, foreign, removed } = await first(given).stop({ dryRun: true });
    return { processes: processes.length, foreign: foreign.length, removed };
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
    test(`${file} ${raw.name}`, async (t) => {
      process.env.PORTALLOC_DIR = path.join(here.scratch, `registry-${file}-${raw.name}`.replaceAll('/', '-'));
      const { operation, project, arguments: given, expect, error: code, message = [] } = filled(raw);
      t.after(tidy);
      write(project);
      const perform = async () => OPERATIONS[operation](given);
      if (code === undefined) {
        const done = await perform();
        for (const [name, value] of Object.entries(expect)) assert.deepEqual(done[name], value, name);
        return;
      }
      await assert.rejects(perform, (error) => {
        assert.equal(error.portallocCode, code, error.stack);
        assert(error instanceof portalloc.PortallocError);
        for (const part of message) assert(error.message.includes(String(part)), `${part} in ${error.message}`);
        return true;
      });
    });
  }
}

test('there are many', () => assert(cases > 160, `${cases} cases`));
