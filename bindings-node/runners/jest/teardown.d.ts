/** `globalTeardown: 'portalloc/jest/teardown'`. */
declare function tearDown(): Promise<void>;
export = tearDown;
