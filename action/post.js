'use strict';

// A job whose main step asked for nothing, or whose token is revoked already, pays for
// Node's start and no more: nothing is loaded.
if (process.env.STATE_names && process.env.STATE_revoked !== 'true') {
  require('./launch.js').run('post');
}
