'use strict';

// Someone who puts another program in place of every file of the job, at one moment:
// before the call SWAP_AT of those that the launcher makes of the system. SWAP_HOW says
// whether the file is replaced or written over. SWAP_COUNT names a file that gets one
// byte for each call.
const fs = require('node:fs');
const path = require('node:path');

const real = { ...fs };
const at = Number(process.env.SWAP_AT);
const other = real.readFileSync(process.env.SWAP_WITH);
let calls = 0;

function swap(folder) {
  for (const entry of real.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      swap(file);
    } else if (process.env.SWAP_HOW === 'replace') {
      real.writeFileSync(`${file}.other`, other, { mode: 0o755 });
      real.renameSync(`${file}.other`, file);
    } else {
      real.writeFileSync(file, other, { flag: 'r+' });
    }
  }
}

function before(object, name) {
  const call = object[name];
  object[name] = (...args) => {
    calls += 1;
    real.appendFileSync(process.env.SWAP_COUNT, '.');
    if (calls === at) {
      process.env.SWAP_IN.split(path.delimiter).forEach(swap);
    }
    return call.apply(object, args);
  };
}

for (const name of ['existsSync', 'openSync', 'readSync', 'write', 'writeSync', 'closeSync', 'fstatSync', 'unlinkSync', 'accessSync', 'mkdirSync', 'copyFile', 'copyFileSync', 'chmodSync', 'renameSync']) {
  before(fs, name);
}
before(process, 'execve');
