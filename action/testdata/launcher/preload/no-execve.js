'use strict';

// As on Node before 22.15.
delete process.execve;
