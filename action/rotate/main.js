'use strict';

require('../launch.js').run('main', 'rotate');
