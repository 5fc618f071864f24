'use strict';

// As on Windows when a scanner has a file open.
const fs = require('node:fs');
require('./named.js');
fs.rmSync = () => {
  throw Object.assign(new Error('EBUSY: resource busy or locked'), { code: 'EBUSY' });
};
