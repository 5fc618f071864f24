'use strict';

// As where another process holds what is to be replaced.
const fs = require('node:fs');
fs.renameSync = () => {
  throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' });
};
