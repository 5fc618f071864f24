'use strict';

// If the main step requested no token, or has revoked it already, nothing is loaded, and the step
// takes only the start of Node.js.
if (process.env.STATE_names && process.env.STATE_revoked !== 'true') {
  require('./launch.js').run('post');
}
