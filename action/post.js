'use strict';

require('./launch.js').run('post');
