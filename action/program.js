'use strict';

// Makes, verifies and starts a private copy of the program, so that exactly the verified bytes
// run.
//
// On Linux the copy is unlinked as soon as it is open, so nothing can replace it, and nothing is
// left behind however the step ends. It is hashed and executed through one read-only descriptor.
// Elsewhere it is a file in a folder that only the runner's user can access.

const fs = require('node:fs');
const path = require('node:path');

const PART = 64 * 1024; // bytes hashed at a time, which fit into a CPU cache

// Problem is an error for the user, with a searchable code and a remedy.
class Problem extends Error {
  constructor(code, text) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

// input returns an input of the action.
function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] || '').trim();
}

// privateFile returns a new executable file for the program. file is the path to open it; folder
// is null if the file has no name.
function privateFile(name, system = process.platform) {
  const problems = [];
  for (const folder of folders()) {
    try {
      return system === 'linux' ? nameless(folder) : named(folder, name);
    } catch (error) {
      problems.push(error.message);
    }
  }
  throw new Problem('PSA602', `No folder allows the program to be written and executed: ${problems.join('; ')}.`);
}

// folders returns the possible locations of the private copy. The first is the job's own; the
// others are for machines where it is mounted noexec.
function folders() {
  return [...new Set([process.env.RUNNER_TEMP, process.env.TMPDIR || process.env.TEMP || '/tmp', process.env.HOME || process.env.USERPROFILE])].filter(Boolean);
}

// nameless opens a file and unlinks it. It fails if access(2) shows that the file cannot be
// executed, as on a noexec file system.
function nameless(folder) {
  const file = path.join(folder, `.paistrike-${process.pid}-${process.hrtime.bigint()}`);
  const fd = fs.openSync(file, 'wx+', 0o700);
  try {
    fs.unlinkSync(file);
    if (fs.fstatSync(fd).nlink !== 0) {
      throw new Error(`another process created a link to ${file}`);
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

// copy copies a file to a private file on another thread. Meanwhile, this thread loads the module
// for hashing, which takes longer.
async function copy(program, file) {
  const copying = new Promise((resolve, reject) => { // in the kernel if possible
    fs.copyFile(file, program.file, (error) => (error ? reject(error) : resolve()));
  });
  require('node:crypto');
  await copying;
  fs.chmodSync(program.file, 0o700); // the copy has the mode of the source
}

// write appends data to a private file on another thread.
async function write(program, part) {
  program.fd ??= fs.openSync(program.file, 'wx', 0o700);
  for (let left = part; left.length > 0;) {
    left = await new Promise((resolve, reject) => {
      fs.write(program.fd, left, (error, size) => (error ? reject(error) : resolve(left.subarray(size))));
    });
  }
}

// drop deletes a file that will not be started.
function drop(program) {
  close(program);
  clear(program);
}

function close({ fd }) {
  if (fd !== null) {
    fs.closeSync(fd);
  }
}

// sealed returns the program if its bytes match the released ones. It reads them through the
// descriptor that will be executed, after closing the writable one.
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
    throw new Problem('PSA601', `The program at ${where} does not belong to this version of the action and was not run: ` +
      `its SHA-256 is ${got}, but must be ${want}. Remove it, or use the version of the action that it belongs to.`);
  }
  if (program.folder) {
    fs.closeSync(reading);
    return program;
  }
  return { fd: reading, file: `/proc/self/fd/${reading}`, folder: null };
}

// clear deletes a named file. A failure does not change the result of the step.
function clear({ folder }) {
  try {
    if (folder) {
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  } catch {
    // the runner deletes its temporary folder after the job
  }
}

// credentials lists the variables with AWS credentials of a job, a container or a machine. It
// excludes those that redirect requests, such as AWS_ENDPOINT_URL and AWS_CA_BUNDLE.
const credentials = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN', 'ROLE_ARN', 'ROLE_SESSION_NAME', 'WEB_IDENTITY_TOKEN_FILE', 'PROFILE', 'CONFIG_FILE',
  'SHARED_CREDENTIALS_FILE', 'CONTAINER_CREDENTIALS_RELATIVE_URI', 'CONTAINER_CREDENTIALS_FULL_URI', 'CONTAINER_AUTHORIZATION_TOKEN',
  'CONTAINER_AUTHORIZATION_TOKEN_FILE', 'EC2_METADATA_DISABLED'].map((name) => `AWS_${name}`);

// environment returns the program's environment: the runner's variables for the action, network
// settings and, with store: aws, the job's AWS credentials. The program needs nothing else. In
// particular, it does not get SSL_CERT_FILE and similar variables, because an earlier step that
// sets them and HTTPS_PROXY could read its traffic. Certificates come from the system and the
// inputs.
function environment(all) {
  const names = new Set(['PATH', 'HOME', 'ACT', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT', 'USERPROFILE', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY',
    ...((all.INPUT_STORE || '').trim() === 'aws' ? credentials : [])]);
  const prefixes = ['GITHUB_', 'RUNNER_', 'INPUT_', 'STATE_', 'ACTIONS_ID_TOKEN_REQUEST_'];
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name.toUpperCase()) ||
    prefixes.some((prefix) => name.toUpperCase().startsWith(prefix))));
}

// start runs the program and resolves to the exit code. If possible, the program replaces this
// process, so that the runner's signals reach it directly.
async function start(program, args) {
  const env = environment(process.env);
  if (!program.folder && process.execve) {
    process.execve(program.file, ['paistrike-action', ...args], env); // does not return
  }
  return spawned(program, args, env);
}

// stops returns the signals with which a runner ends a step. On Windows, SIGBREAK follows Ctrl-C
// after 7.5 seconds.
function stops(system = process.platform) {
  return system === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : ['SIGINT', 'SIGTERM'];
}

// spawned runs the program as a child process, without a shell, and forwards signals.
function spawned(program, args, env) {
  const { spawn } = require('node:child_process');
  process.on('exit', () => clear(program));
  let child = null;
  for (const signal of stops()) {
    // On Windows a signal would kill the program. The runner's Ctrl-C and Ctrl-Break reach the
    // program directly; this process only waits for it.
    process.on(signal, () => process.platform === 'win32' || child.kill(signal));
  }
  const stdio = ['inherit', 'inherit', 'inherit'];
  child = program.folder ? spawn(program.file, args, { env, stdio, windowsHide: true })
    : spawn('/proc/self/fd/3', args, { env, stdio: [...stdio, program.fd], argv0: 'paistrike-action' });
  if (process.platform !== 'win32') {
    child.on('spawn', () => clear(program)); // a running program does not need its name
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Problem('PSA602', `The program cannot be started: ${error.message}.`)));
    child.on('exit', (code) => resolve(code === null ? 1 : code));
  });
}

module.exports = { Problem, input, privateFile, copy, write, drop, sealed, environment, start, stops };
