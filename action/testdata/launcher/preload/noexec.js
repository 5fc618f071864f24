'use strict';

// As if the runner's folder were on a file system that is mounted noexec.
const fs = require('node:fs');
const { accessSync, openSync } = fs;
let noexec = -1;
fs.openSync = (file, ...more) => {
  const fd = openSync(file, ...more);
  if (file.startsWith(process.env.RUNNER_TEMP)) {
    noexec = fd;
  }
  return fd;
};
fs.accessSync = (file, mode) => {
  if (mode === fs.constants.X_OK && file === `/proc/self/fd/${noexec}`) {
    noexec = -1;
    throw Object.assign(new Error(`EACCES: permission denied, access '${file}'`), { code: 'EACCES' });
  }
  return accessSync(file, mode);
};
