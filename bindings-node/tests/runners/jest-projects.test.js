'use strict';

// Jest with `projects`: each project has an environment of its own, and each test file sees that of its project, whichever
// process runs it, and whatever ran there before.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const portalloc = require('portalloc');
const { world } = require('../world.js');
const { Inner, until } = require('./inner.js');

const here = world(120);

const NAMES = { one: ['web', 'db'], two: ['web', 'api'], three: ['mail'] };
const PROJECTS = Object.keys(NAMES);
const FILES_EACH = 2;

const ROOT = `module.exports = { projects: ${JSON.stringify(PROJECTS.map((name) => `<rootDir>/${name}`))}, testTimeout: 240000 };`;
const PROJECT = `module.exports = {
  globalSetup: 'portalloc/jest/setup',
  globalTeardown: 'portalloc/jest/teardown',
  setupFilesAfterEnv: ['portalloc/jest'],
};`;

/** A test file that tells what it sees, and what a process sees that it starts, which inherits the variables of Jest's own. */
const sees = (project, record = '../record.js') => `
const { execFileSync } = require('node:child_process');
const record = require('${record}');
const { attachEnvironment } = require('portalloc');
const SEEN = '(({ WEB_PORT, DB_PORT, API_PORT, MAIL_PORT, ISOLATION_ID }) => ({ WEB_PORT, DB_PORT, API_PORT, MAIL_PORT, ISOLATION_ID }))(process.env)';
test('sees it', () => {
  const { id, ports, names, worktreePath } = attachEnvironment();
  const child = JSON.parse(execFileSync(process.execPath, ['-p', 'JSON.stringify(' + SEEN + ')'], { encoding: 'utf8' }));
  record({ project: '${project}', id, ports, names, worktreePath, variables: eval(SEEN), child });
}, 240000);
`;

const config = (changed, more = '') => PROJECT.replace("'portalloc/jest/setup'", `'${changed}'`).replace('};', `${more}\n};`);

function suite(t, changed = {}) {
  t.after(() => portalloc.cleanupStale()); // of a test that failed
  const files = { 'jest.config.js': ROOT };
  for (const [project, names] of Object.entries(NAMES)) {
    files[`${project}/jest.config.js`] = PROJECT;
    files[`${project}/portalloc.toml`] = `names = ${JSON.stringify(names)}\n`;
    for (let file = 0; file < FILES_EACH; file += 1) files[`${project}/${file}.test.js`] = sees(project);
  }
  return new Inner(t, here, { ...files, ...changed });
}

const nothingIsLeft = () => {
  assert.deepEqual(portalloc.environments(), []);
  assert.deepEqual(portalloc.leases(), []);
};

const of = (told, project) => told.filter((one) => one.project === project);
const only = (values) => {
  const [value, ...others] = new Set(values);
  assert.deepEqual(others, []);
  return value;
};

/** Each file saw its project's environment, and no variable of another one; returns their IDs. */
function check(inner, { told = inner.told(), projects = PROJECTS, outer = {} } = {}) {
  assert.equal(told.length, projects.length * FILES_EACH);
  const ids = projects.map((project) => {
    const own = of(told, project);
    assert.equal(own.length, FILES_EACH);
    for (const { id, names, ports, variables, worktreePath, child } of own) {
      assert.deepEqual(names, NAMES[project]);
      assert.deepEqual(child, variables);
      assert.equal(worktreePath, path.join(fs.realpathSync(inner.directory), project));
      const named = names.map((name, index) => [`${name.toUpperCase()}_PORT`, String(ports[index])]);
      assert.deepEqual(variables, { ...outer, ...Object.fromEntries(named), ISOLATION_ID: id });
    }
    return only(own.map(({ id }) => id));
  });
  assert.equal(new Set(ids).size, projects.length);
  return ids;
}

describe('all projects name the same globalSetup, which Jest calls once', () => {
  for (const [name, args] of [
    ['in one process', ['--runInBand']],
    ['with workers', ['--maxWorkers=2']],
    ['with worker threads', ['--maxWorkers=2', '--workerThreads']],
  ]) {
    test(name, async (t) => {
      const inner = suite(t);
      const { status, output } = await inner.run('jest', args, { env: { API_PORT: 'of the shell' } });
      assert.equal(status, 0, output);
      check(inner, { outer: { API_PORT: 'of the shell' } });
      // Of two processes, one has run at least three of the six files, so files of two projects.
      const told = inner.told();
      const processes = [...new Set(told.map(({ pid }) => pid))];
      const most = Math.max(...processes.map((pid) => new Set(told.filter((one) => one.pid === pid).map(({ project }) => project)).size));
      assert.ok(most > 1 && processes.length <= 2, JSON.stringify(told));
      nothingIsLeft();
    });
  }

  test('with a function of the project for options', async (t) => {
    const changed = {
      'global-setup.js': `
        module.exports = require('portalloc/jest').setup((globalConfig, { rootDir }) => ({
          names: { one: ['web', 'db'], two: ['web', 'api'], three: ['mail'] }[require('node:path').basename(rootDir)],
        }));`,
    };
    for (const project of PROJECTS) {
      changed[`${project}/jest.config.js`] = config('../global-setup.js');
      changed[`${project}/portalloc.toml`] = 'names = ["others"]\n';
    }
    const inner = suite(t, changed);
    const { status, output } = await inner.run('jest', ['--runInBand']);
    assert.equal(status, 0, output);
    check(inner);
    nothingIsLeft();
  });

  test('of some projects only', async (t) => {
    const changed = {};
    for (const project of PROJECTS) changed[`${project}/jest.config.js`] = config('portalloc/jest/setup', `displayName: '${project}',`);
    const inner = suite(t, changed);
    const { status, output } = await inner.run('jest', ['--runInBand', '--selectProjects', 'two', 'three']);
    assert.equal(status, 0, output);
    check(inner, { projects: ['two', 'three'] });
    nothingIsLeft();
  });

  test('of projects that the command line names, and of those that are objects', async (t) => {
    const objects = `module.exports = { projects: ${JSON.stringify(PROJECTS)}.map((name) => ({
      ...require('./' + name + '/jest.config.js'), displayName: name, rootDir: '<rootDir>/' + name,
    })) };`;
    for (const [root, args] of [['', ['--projects', ...PROJECTS]], [objects, []]]) {
      const inner = suite(t, { 'jest.config.js': root });
      if (!root) fs.rmSync(path.join(inner.directory, 'jest.config.js'));
      const { status, output } = await inner.run('jest', ['--runInBand', ...args]);
      assert.equal(status, 0, output);
      check(inner);
      nothingIsLeft();
    }
  });
});

test('each project has a globalSetup of its own, whose own code sees the variables', async (t) => {
  const changed = {};
  for (const project of PROJECTS) {
    changed[`${project}/jest.config.js`] = config('./global-setup.js').replace('portalloc/jest/teardown', './global-teardown.js');
    changed[`${project}/global-setup.js`] = `
      const setUp = require('portalloc/jest').setup();
      module.exports = async (...configs) => {
        await setUp(...configs);
        const { WEB_PORT, DB_PORT, API_PORT, MAIL_PORT, ISOLATION_ID } = process.env;
        require('../record.js')({ setUp: '${project}', variables: { WEB_PORT, DB_PORT, API_PORT, MAIL_PORT, ISOLATION_ID } });
      };`;
    // What was begun for it is there until its own teardown.
    changed[`${project}/global-teardown.js`] = `
      const { environments } = require('portalloc');
      const { teardown } = require('portalloc/jest');
      const own = () => environments().some(({ worktreePath }) => worktreePath === require('node:fs').realpathSync(__dirname));
      module.exports = async (...configs) => {
        const before = own();
        await teardown(...configs);
        require('../record.js')({ tornDown: '${project}', before, after: own() });
      };`;
  }
  for (const args of [['--runInBand'], ['--maxWorkers=2']]) {
    const inner = suite(t, changed);
    const { status, output } = await inner.run('jest', args);
    assert.equal(status, 0, output);
    const told = inner.told();
    check(inner, { told: told.filter(({ id }) => id) });
    for (const project of PROJECTS) {
      const [{ variables }] = told.filter(({ setUp }) => setUp === project);
      assert.deepEqual(variables, of(told, project)[0].variables);
      assert.deepEqual(told.filter(({ tornDown }) => tornDown === project).map(({ before, after }) => [before, after]), [[true, false]]);
    }
    nothingIsLeft();
  }
});

test('a globalSetup beside `projects` makes one environment for all, which is that of the whole run', async (t) => {
  const changed = {
    'jest.config.js': ROOT.replace('{', "{ globalSetup: 'portalloc/jest/setup', globalTeardown: 'portalloc/jest/teardown',"),
    'portalloc.toml': 'names = ["web"]\n',
  };
  for (const project of PROJECTS) changed[`${project}/jest.config.js`] = `module.exports = { setupFilesAfterEnv: ['portalloc/jest'] };`;
  const inner = suite(t, changed);
  const { status, output } = await inner.run('jest', ['--maxWorkers=2']);
  assert.equal(status, 0, output);
  const told = inner.told();
  assert.equal(told.length, PROJECTS.length * FILES_EACH);
  only(told.map(({ id }) => id));
  assert.equal(only(told.map(({ worktreePath }) => worktreePath)), fs.realpathSync(inner.directory));
  nothingIsLeft();
});

for (const [name, project, args] of [
  ['with a teardown', PROJECT, []],
  ['with a teardown, in one process', PROJECT, ['--runInBand']],
  ['without a teardown, in one process', PROJECT.replace(/globalTeardown.*/, ''), ['--runInBand']],
]) {
  test(`in watch mode each run has new ones, and nothing piles up, ${name}`, async (t) => {
    const inner = suite(t, Object.fromEntries(PROJECTS.map((each) => [`${each}/jest.config.js`, project])));
    const running = inner.start('jest', ['--watchAll', '--watchman=false', ...args]);
    const each = PROJECTS.length * FILES_EACH;
    const ids = [];
    for (let run = 1; run <= 3; run += 1) {
      // With the empty line, which comes when the teardown is over: Jest loses changes of files that it sees before.
      await until(() => running.output.split('Ran all test suites in 3 projects.\n\n').length > run, () => running.output);
      ids.push(...check(inner, { told: inner.told().slice((run - 1) * each, run * each) }));
      assert.ok(portalloc.environments().length <= PROJECTS.length);
      inner.write({ 'one/0.test.js': `${sees('one')}// ${run}` });
    }
    assert.equal(new Set(ids).size, 3 * PROJECTS.length);
    running.killAll();
    await running.ended();
    portalloc.cleanupStale();
    nothingIsLeft();
  });
}

test('a run of Jest in a test has its own environment, or that of the test', async (t) => {
  const inner = suite(t, {
    'one/0.test.js': `
      const { spawnSync } = require('node:child_process');
      const path = require('node:path');
      test.each(['one/inner', 'two/inner'])('runs Jest in %s', (name) => {
        const cwd = path.join(__dirname, '..', name);
        const { status, stderr } = spawnSync(path.join(__dirname, '../node_modules/.bin/jest'), ['--runInBand'], { cwd, encoding: 'utf8' });
        if (status !== 0) throw new Error(stderr);
      }, 240000);`,
    'one/inner/jest.config.js': PROJECT,
    'one/inner/portalloc.toml': 'names = ["web", "mail"]\n',
    'one/inner/a.test.js': sees('with a globalSetup', '../../record.js'),
    'two/inner/jest.config.js': `module.exports = { setupFilesAfterEnv: ['portalloc/jest'] };`,
    'two/inner/a.test.js': sees('without', '../../record.js'),
    ...Object.fromEntries(['one', 'two'].map((name) => [
      `${name}/jest.config.js`, config('portalloc/jest/setup', `testPathIgnorePatterns: ['/inner/'],`),
    ])),
  });
  const { status, output } = await inner.run('jest', ['--runInBand']);
  assert.equal(status, 0, output);
  const told = inner.told();
  assert.deepEqual(of(told, 'with a globalSetup').map(({ names }) => names), [['web', 'mail']]);
  assert.deepEqual(of(told, 'without').map(({ id }) => id), [of(told, 'one')[0].id]);
  nothingIsLeft();
});

describe('what cannot be told apart', () => {
  const inline = (...projects) => ({
    'jest.config.js': `module.exports = { projects: [${projects.map((text) => text.replace('module.exports = ', '').replace(';', '')).join(', ')}] };`,
  });

  test('projects with the same roots and the same globalSetup share one environment', async (t) => {
    const both = PROJECTS.slice(0, 2);
    const changed = inline(...both.map((name) => config('portalloc/jest/setup', `displayName: '${name}', testMatch: ['**/${name}/*.test.js'],`)));
    const inner = suite(t, { ...changed, 'portalloc.toml': 'names = ["web"]\n' });
    const { status, output } = await inner.run('jest', ['--maxWorkers=2']);
    assert.equal(status, 0, output);
    assert.equal(inner.told().length, both.length * FILES_EACH);
    only(inner.told().map(({ id }) => id));
    nothingIsLeft();
  });

  test('projects with the same roots and a globalSetup each are refused', async (t) => {
    const both = PROJECTS.slice(0, 2);
    const changed = inline(...both.map((name) => config(`./${name}.js`, `displayName: '${name}', testMatch: ['**/${name}/*.test.js'],`)));
    for (const name of both) changed[`${name}.js`] = `module.exports = require('portalloc/jest').setup();`;
    const inner = suite(t, changed);
    const { status, output } = await inner.run('jest', []);
    assert.equal(status, 1);
    assert.match(output, /portalloc\/jest: the project "(one|two)" has the same roots as another one, \/.*; give each project roots of its own/);
    assert.deepEqual(inner.told(), []);
    nothingIsLeft();
  });

  test('a project without the helper in its test files is refused', async (t) => {
    const inner = suite(t, { 'two/jest.config.js': PROJECT.replace(/setupFilesAfterEnv.*/, '') });
    const { status, output } = await inner.run('jest', []);
    assert.equal(status, 1);
    assert.match(output, /portalloc\/jest: the project \S+\/two is one of several, .*; add 'portalloc\/jest' to its setupFilesAfterEnv/);
    assert.deepEqual(inner.told(), []);
    nothingIsLeft();
  });
});
