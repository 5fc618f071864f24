'use strict';

// Whoever may write to the job's folders puts another program in place of the verified
// one, at each moment of a start in turn. Either the released program runs, or none.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { test } = require('node:test');

const { programs, checkout, cached, put, launch, mirror } = require('./world.js');

const { released, other } = programs();
const AT_ONCE = 4; // starts side by side
const where = { skip: !process.execve && 'this Node starts the program in another way', timeout: 300000 };

// start swaps at one moment, and returns how that ended and how many moments there were.
async function start(t, at, how, prepare) {
  const dir = checkout(t, '1.2.3', released);
  const env = { SWAP_AT: at, SWAP_HOW: how, SWAP_WITH: path.join(dir, 'other'), SWAP_COUNT: path.join(dir, 'count'),
    SWAP_IN: ['temp', 'tools'].map((folder) => path.join(dir, folder)).join(path.delimiter), ...prepare(dir) };
  fs.writeFileSync(env.SWAP_WITH, other, { mode: 0o755 });
  const ended = await launch(dir, env, { preload: path.join(__dirname, 'preload', 'swap.js') });
  return { ...ended, at, moments: fs.readFileSync(env.SWAP_COUNT).length };
}

// judge fails if the other program ran, or the step ended in a way that nobody foresaw.
function judge({ at, code, out }) {
  assert.doesNotMatch(out, /another program/, `moment ${at}`);
  if (code === 3) {
    assert.match(out, /^released program, step main$/m, `moment ${at}`);
    return 'ran';
  }
  assert.equal(code, 1, `moment ${at}: ${out}`);
  assert.match(out, /PSA60[12]/, `moment ${at}`);
  return 'refused';
}

for (const how of ['replace', 'write over']) {
  for (const [from, prepare] of Object.entries({
    'the tool cache': () => (dir) => put(cached(dir), released),
    'a download': (url) => () => ({ INPUT_BINARY_MIRROR: url, RUNNER_ENVIRONMENT: 'github-hosted' }),
  })) {
    test(`no other program runs than the one from ${from}, whenever someone tries to ${how} it`, where, async (t) => {
      const { url } = await mirror(t, (_, answer) => answer.end(zlib.gzipSync(released)));
      const undisturbed = await start(t, 0, how, prepare(url));
      assert.equal(judge(undisturbed), 'ran');
      assert.ok(undisturbed.moments > 12, `there are ${undisturbed.moments} moments`);
      const seen = new Set();
      for (let at = 1; at <= undisturbed.moments; at += AT_ONCE) {
        const ended = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => start(t, at + i, how, prepare(url))));
        ended.forEach((end) => seen.add(judge(end)));
      }
      assert.ok(seen.has('ran'));
      if (from !== 'a download') {
        assert.ok(seen.has('refused'), 'no swap was noticed');
      }
    });
  }
}
