'use strict';

// What Jest's configuration says: for which projects a globalSetup is called. Jest calls a file once, with the configuration
// of one project, however many name it; so this reads those of the others, as Jest has. Knows no environment.

const HELPER = /[\\/]runners[\\/]jest[\\/]index\.js$/;

/**
 * Where the environments are, that a globalSetup is to make; that of the given project is the last. With several projects,
 * each has the `roots` by which its test files find it.
 */
async function projectsOf(globalConfig, projectConfig) {
  const isOfProject = typeof projectConfig?.globalSetup === 'string';
  if (!isOfProject || !(globalConfig?.projects?.length > 1)) {
    return [{ rootDir: (isOfProject ? projectConfig : (globalConfig ?? projectConfig))?.rootDir, config: projectConfig }];
  }
  const all = await configurations(globalConfig);
  const those = [...all.filter(({ globalSetup }) => globalSetup === projectConfig.globalSetup), projectConfig];
  those.forEach(needHelper);
  const configs = new Map();
  for (const config of those) {
    const key = String(config.roots);
    configs.delete(key); // so that the given one is the last
    configs.set(key, config);
  }
  return Array.from(configs.values(), (config) => ({ rootDir: config.rootDir, roots: config.roots, config }));
}

/** Those of all projects, read as Jest itself reads them. */
async function configurations({ projects, rootDir }) {
  const { readConfig } = loaded();
  return Promise.all(
    projects.map(async (project, index) => (await readConfig({}, project, true, rootDir, index, true)).projectConfig),
  );
}

/** The module that has read the configuration of this run. */
function loaded() {
  const name = Object.keys(require.cache).find((file) => /[\\/]jest-config[\\/]build[\\/]index\.js$/.test(file));
  const found = name && require.cache[name].exports;
  if (typeof found?.readConfig === 'function') return found;
  throw new Error(
    'portalloc/jest: cannot read the projects of this version of Jest; give the run one globalSetup beside `projects`, or run ' +
      'one project at a time',
  );
}

/** Nothing else tells the test files of one project from those of another. */
function needHelper({ displayName, rootDir, setupFilesAfterEnv = [] }) {
  if (setupFilesAfterEnv.some((file) => HELPER.test(file))) return;
  throw new Error(
    `portalloc/jest: the project ${displayName?.name ?? rootDir} is one of several, and its tests would see the variables of ` +
      "another one; add 'portalloc/jest' to its setupFilesAfterEnv",
  );
}

module.exports = { projectsOf };
