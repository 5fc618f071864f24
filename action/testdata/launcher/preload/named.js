'use strict';

// As on macOS, which cannot execute a file without a name.
if (process.platform === 'linux') {
  delete process.execve;
  Object.defineProperty(process, 'platform', { value: 'darwin' });
}
