'use strict';

// A private copy of the program: written, verified, and started, so that the bytes that
// were verified are the bytes that run.
//
// On Linux the copy has no name in any folder once it is opened, so nothing can be put in
// its place, and nothing is left of it however the step ends. It is hashed and executed
// through one descriptor that cannot write. Elsewhere it is a file in a folder that only
// the user of the runner can enter.

const fs = require('node:fs');
const path = require('node:path');

const PART = 64 * 1024; // bytes that are hashed at a time: what a core keeps at hand

// Problem is an error for the user: a code to search for, and what to do.
class Problem extends Error {
  constructor(code, text) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

// input is what the workflow passes to the action under a name.
function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] || '').trim();
}

// privateFile is a new file for the program, from which it may be executed: file is how to
// open it, and folder is null where it has no name.
function privateFile(name, system = process.platform) {
  const problems = [];
  for (const folder of folders()) {
    try {
      return system === 'linux' ? nameless(folder) : named(folder, name);
    } catch (error) {
      problems.push(error.message);
    }
  }
  throw new Problem('PSA602', `The program needs a folder in which it may be written and executed, and there is none: ${problems.join('; ')}.`);
}

// folders are where the program may lie while it is started. The first is the job's own;
// the others are for a machine that forbids to execute what lies there.
function folders() {
  return [...new Set([process.env.RUNNER_TEMP, process.env.TMPDIR || process.env.TEMP || '/tmp', process.env.HOME || process.env.USERPROFILE])].filter(Boolean);
}

// nameless opens a file that loses its name at once. On a file system that is mounted
// noexec it may not be executed, which access(2) tells.
function nameless(folder) {
  const file = path.join(folder, `.paistrike-${process.pid}-${process.hrtime.bigint()}`);
  const fd = fs.openSync(file, 'wx+', 0o700);
  try {
    fs.unlinkSync(file);
    if (fs.fstatSync(fd).nlink !== 0) {
      throw new Error(`someone else gave a name to ${file}`);
    }
    const through = `/proc/self/fd/${fd}`;
    fs.accessSync(through, fs.constants.X_OK);
    return { fd, file: through, folder: null };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function named(parent, name) {
  const folder = fs.mkdtempSync(path.join(parent, 'paistrike-'));
  return { fd: null, file: path.join(folder, name), folder };
}

// copy fills a private file with the bytes of another file, on a thread of its own. This one
// loads the module that hashes them meanwhile, which takes longer.
async function copy(program, file) {
  const copying = new Promise((resolve, reject) => { // in the kernel, where it can
    fs.copyFile(file, program.file, (error) => (error ? reject(error) : resolve()));
  });
  require('node:crypto');
  await copying;
  fs.chmodSync(program.file, 0o700); // the copy has the rights of the other file
}

// write appends a part to a private file, on a thread of its own.
async function write(program, part) {
  program.fd ??= fs.openSync(program.file, 'wx', 0o700);
  for (let left = part; left.length > 0;) {
    left = await new Promise((resolve, reject) => {
      fs.write(program.fd, left, (error, size) => (error ? reject(error) : resolve(left.subarray(size))));
    });
  }
}

// drop gives up a file that will not be started.
function drop(program) {
  close(program);
  clear(program);
}

function close({ fd }) {
  if (fd !== null) {
    fs.closeSync(fd);
  }
}

// sealed returns the program once its bytes are those that were released. They are read
// through the descriptor that will be executed, after the one that could write is closed.
function sealed(program, want, where) {
  const reading = fs.openSync(program.file);
  close(program);
  const hash = require('node:crypto').createHash('sha256');
  const part = Buffer.allocUnsafeSlow(PART);
  for (let size; (size = fs.readSync(reading, part, 0, PART, null)) > 0;) {
    hash.update(part.subarray(0, size));
  }
  const got = hash.digest('hex');
  if (got !== want) {
    drop({ fd: reading, folder: program.folder });
    throw new Problem('PSA601', `The program at ${where} is not the one that this version of the action was released with, and is not run: ` +
      `its SHA-256 is ${got}, and must be ${want}. Remove it, or use the version of the action that it belongs to.`);
  }
  if (program.folder) {
    fs.closeSync(reading);
    return program;
  }
  return { fd: reading, file: `/proc/self/fd/${reading}`, folder: null };
}

// clear removes what has a name. Whatever becomes of it changes no step's result.
function clear({ folder }) {
  try {
    if (folder) {
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  } catch {
    // the runner empties its folder after the job
  }
}

// credentials are the variables in which a job, a container or a machine has credentials
// for AWS. Those that would lead elsewhere, such as AWS_ENDPOINT_URL and AWS_CA_BUNDLE, are
// not among them.
const credentials = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN', 'ROLE_ARN', 'ROLE_SESSION_NAME', 'WEB_IDENTITY_TOKEN_FILE', 'PROFILE', 'CONFIG_FILE',
  'SHARED_CREDENTIALS_FILE', 'CONTAINER_CREDENTIALS_RELATIVE_URI', 'CONTAINER_CREDENTIALS_FULL_URI', 'CONTAINER_AUTHORIZATION_TOKEN',
  'CONTAINER_AUTHORIZATION_TOKEN_FILE', 'EC2_METADATA_DISABLED'].map((name) => `AWS_${name}`);

// environment is what the program gets to see: what the runner says to the action, how to
// reach the network, and with store: aws the credentials that the job has. Everything else
// in a job's environment is none of its business. That holds for SSL_CERT_FILE and its kin
// as well: an earlier step that sets them and HTTPS_PROXY would read along. Certificates
// come from the system and the inputs.
function environment(all) {
  const names = new Set(['PATH', 'HOME', 'ACT', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT', 'USERPROFILE', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY',
    ...((all.INPUT_STORE || '').trim() === 'aws' ? credentials : [])]);
  const prefixes = ['GITHUB_', 'RUNNER_', 'INPUT_', 'STATE_', 'ACTIONS_ID_TOKEN_REQUEST_'];
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name.toUpperCase()) ||
    prefixes.some((prefix) => name.toUpperCase().startsWith(prefix))));
}

// start runs the program. Where it can, it becomes the program: there is no second
// process then, and the runner's signals reach the program itself. It resolves to the
// exit code.
async function start(program, args) {
  const env = environment(process.env);
  if (!program.folder && process.execve) {
    process.execve(program.file, ['paistrike-action', ...args], env); // does not return
  }
  return spawned(program, args, env);
}

// stops are the signals by which a runner asks a step to end. On Windows SIGBREAK
// follows Ctrl-C after 7.5 seconds.
function stops(system = process.platform) {
  return system === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : ['SIGINT', 'SIGTERM'];
}

// spawned runs the program as a child, without a shell, and passes signals on.
function spawned(program, args, env) {
  const { spawn } = require('node:child_process');
  process.on('exit', () => clear(program));
  let child = null;
  for (const signal of stops()) {
    // On Windows a signal would kill the program; there the runner's Ctrl-C and
    // Ctrl-Break reach it as they reach this process, which waits for it.
    process.on(signal, () => process.platform === 'win32' || child.kill(signal));
  }
  const stdio = ['inherit', 'inherit', 'inherit'];
  child = program.folder ? spawn(program.file, args, { env, stdio, windowsHide: true })
    : spawn('/proc/self/fd/3', args, { env, stdio: [...stdio, program.fd], argv0: 'paistrike-action' });
  if (process.platform !== 'win32') {
    child.on('spawn', () => clear(program)); // it runs, and needs its name no more
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Problem('PSA602', `The program cannot be started: ${error.message}.`)));
    child.on('exit', (code) => resolve(code === null ? 1 : code));
  });
}

module.exports = { Problem, input, privateFile, copy, write, drop, sealed, environment, start, stops };
