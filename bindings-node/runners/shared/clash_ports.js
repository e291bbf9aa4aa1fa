'use strict';

// Whether a text tells of an address in use, and which port it means. Pure: it suggests, and asks nobody. It may suggest
// too much, since every port is looked at before it is named.

const PHRASE = /EADDRINUSE|address already in use|AddrInUse\b|port_in_use/i;
const MENTIONS = [
  /\bport\W{1,4}(\d{1,5})\b/gi, // port 8080, port: 8080, "port": 8080
  /(?<!\d:\d\d):(\d{1,5})(?!\d|[.:]\d)/g, // 127.0.0.1:8080, :::8080, [::]:8080, *:8080; no time of day
  /\(\s*['"][^'"]*['"]\s*,\s*(\d{1,5})\b/g, // ('127.0.0.1', 8080), as Python has it
];
const IN_BRACKETS = /\[[0-9a-f:.]*\]/gi; // an IPv6 address
const COLOURS = /\u001b\[[0-9;]*m/g; // eslint-disable-line no-control-regex
// A place in a file, `at /project/a.test.js:12:5`, is not an address.
const PLACES = /\.[cm]?[jt]sx?:\d+(:\d+)?/g;
const LINES_AFTER = 6;
const LINES_BEFORE = 3;
const MOST = 20;

const isClash = (text) => PHRASE.test(text);

/** The ports in the lines that have the phrase; if there are none, in those around them: Node says `port:` further down. */
function portsOfClash(text) {
  const lines = text.replace(COLOURS, '').split('\n');
  const hits = lines.flatMap((line, number) => (isClash(line) ? [number] : [])).slice(0, MOST);
  const named = hits.flatMap((hit) => portsIn(lines[hit]));
  if (named.length > 0) return unique(named);
  return unique(
    hits.flatMap((hit) => portsIn(lines.slice(Math.max(0, hit - LINES_BEFORE), hit + 1 + LINES_AFTER).join('\n'))),
  );
}

function portsIn(text) {
  const plain = text.replace(IN_BRACKETS, '[]').replace(PLACES, '');
  return MENTIONS.flatMap((mention) => Array.from(plain.matchAll(mention), ([, number]) => Number(number)));
}

const unique = (ports) => [...new Set(ports.filter((port) => port > 0 && port < 65536))].slice(0, MOST);

module.exports = { isClash, portsOfClash };
