'use strict';

// As on Windows, where a child shares the console of its parent: Ctrl-Break comes as
// SIGBREAK, and ends a process that does not listen. SIGUSR2 stands for the key.
Object.defineProperty(process, 'platform', { value: 'win32' });
process.on('SIGUSR2', () => {
  if (process.listenerCount('SIGBREAK') === 0) {
    process.exit(149);
  }
  process.emit('SIGBREAK', 'SIGBREAK');
  console.log('Ctrl-Break');
});
