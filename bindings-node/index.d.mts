export * from './index.js';
import * as portalloc from './index.js';
export default portalloc;
