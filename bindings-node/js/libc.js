'use strict';

// Which C library this process runs on, by the dynamic linker that its program names: PT_INTERP of an ELF file of 64
// bits. `process.report` would say so, too, but takes more than ten milliseconds.

const fs = require('node:fs');

const HEADER_SIZE = 64;
const PT_INTERP = 3;

/** Whether it is musl; if the program cannot be read, it is taken to be glibc, which nearly all systems have. */
function isMusl() {
  let program;
  try {
    program = fs.openSync(process.execPath);
    return interpreter(program).includes('/ld-musl-');
  } catch {
    return false;
  } finally {
    if (program !== undefined) fs.closeSync(program);
  }
}

/** The path of the dynamic linker; empty if the program needs none. */
function interpreter(program) {
  const header = read(program, 0, HEADER_SIZE);
  const size = header.readUInt16LE(54);
  const table = read(program, Number(header.readBigUInt64LE(32)), size * header.readUInt16LE(56));
  for (let entry = 0; entry < table.length; entry += size) {
    if (table.readUInt32LE(entry) === PT_INTERP) {
      const [offset, length] = [8, 32].map((at) => Number(table.readBigUInt64LE(entry + at)));
      return read(program, offset, Math.min(length, 4096)).toString('latin1');
    }
  }
  return '';
}

function read(file, position, length) {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(file, bytes, 0, length, position));
}

module.exports = { isMusl };
