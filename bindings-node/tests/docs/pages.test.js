'use strict';

// Every snippet of the Node pages, run as it stands there, with the packed package; and their table of errors, compared.
//
// Each section has a directory, and its blocks are taken in their order: with a file name behind the language a block is
// written under that name; other `js` is a module, which must succeed; of `console` the lines with `$ ` are run, and after
// `<!-- fails -->` must fail; its other lines must be printed, in that order, but for ports, PIDs and times; `sh` is run
// whole. There is no other kind, so that no snippet is left out by accident. `docker` and `next` are stubs.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const portalloc = require('portalloc');
const { world } = require('../world.js');
const { Inner, ROOT } = require('../runners/inner.js');
const { sections } = require('./page.js');

const here = world(80);
const PAGES = ['docs/node.md', 'bindings-node/README.md'];
// What needs registries, and is rehearsed with them.
const INSTALLS = /^(npm i|npm install|pnpm add|yarn add|bun add|deno add) /;

const plain = (text) =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/PID \d+ \([^)]*\)/g, 'PID N (NAME)')
    .replace(/\b\d{5}\b/g, 'PORT')
    .trim();

async function play(t, page, { blocks }) {
  const inner = new Inner(t, here, {});
  const env = {
    PATH: [path.join(__dirname, 'stubs'), path.join(inner.directory, 'node_modules/.bin'), path.dirname(process.execPath), process.env.PATH].join(':'),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  const shell = async (command, where, fails) => {
    const { status, output } = await inner.startCommand(['sh', '-c', command], env).ended();
    assert.equal(status !== 0, fails, `${where}: ${command}\n${output}`);
    return output;
  };
  for (const { language, file, note, line, lines } of blocks) {
    const where = `${page}:${line}`;
    const text = `${lines.join('\n')}\n`;
    if (file) inner.write({ [file]: text });
    else if (language === 'js') {
      inner.write({ [`snippet-${line}.mjs`]: text });
      await shell(`node snippet-${line}.mjs`, where, false);
    } else if (language === 'sh') await shell(`set -e\n${text}`, where, false);
    else if (language === 'console') {
      const commands = lines.filter((one) => one.startsWith('$ ')).map((one) => one.slice(2));
      let printed = '';
      for (const command of commands.filter((one) => !INSTALLS.test(one))) printed += await shell(command, where, note === 'fails');
      const seen = printed.split('\n').map(plain);
      let from = 0;
      for (const wanted of lines.filter((one) => !one.startsWith('$ ')).map(plain)) {
        from = seen.indexOf(wanted, from) + 1;
        assert.ok(from > 0, `${where}: not printed, or not in this order: ${wanted}\n${printed}`);
      }
    } else assert.fail(`${where}: nobody runs a block of ${language || 'no language'}`);
  }
  assert.deepEqual(portalloc.environments(), [], 'an environment is left');
  assert.deepEqual(portalloc.leases(), [], 'a lease is left');
}

for (const page of PAGES) {
  for (const section of sections(path.join(ROOT, page)).filter(({ blocks }) => blocks.length > 0)) {
    test(`${page}: ${section.title}`, (t) => play(t, page, section));
  }
}

test('the table of errors has every code, and the class of each', () => {
  const { rows } = sections(path.join(ROOT, 'docs/node.md')).find(({ title }) => title === 'Errors');
  const classes = rows.slice(rows.findIndex(([, head]) => head === 'class') + 1);
  assert.deepEqual(classes.map(([code]) => code.replaceAll('`', '')), [...portalloc.errorCodes]);
  for (const [code, names] of classes) {
    for (const [, name] of names.matchAll(/`(\w+Error)`/g)) {
      const { [name]: Class } = portalloc;
      assert.equal(new Class({ code: code.replaceAll('`', ''), message: '' }).name, name);
      assert.ok(Class.prototype instanceof portalloc.PortallocError, name);
    }
  }
});
