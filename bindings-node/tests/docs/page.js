'use strict';

// Reads a page: its sections, the fenced blocks and the table rows in them. Runs nothing. What the fences mean, as in
// tests/docs.rs: a file name behind the language makes a block a file, and what is in a comment in the line before a block
// is said about it.

const fs = require('node:fs');

function sections(file) {
  const found = [];
  let block;
  let note;
  fs.readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      if (block) {
        if (line === '```') block = undefined;
        else block.lines.push(line);
        return;
      }
      const fence = line.match(/^```(\S*) ?(.*)$/);
      if (fence) {
        block = { language: fence[1], file: fence[2] || undefined, note, line: index + 2, lines: [] };
        found.at(-1).blocks.push(block);
      } else if (/^##? /.test(line)) {
        found.push({ title: line.replace(/^#+ /, ''), blocks: [], rows: [] });
      } else if (/^\|.*[^|\-: ]/.test(line)) {
        found.at(-1).rows.push(line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
      }
      note = line.match(/^<!-- (.*) -->$/)?.[1];
    });
  if (block) throw new Error(`${file}:${block.line}: the block is not closed`);
  return found;
}

module.exports = { sections };
