'use strict';

// Starts the program that does the work: finds it, makes sure that it is the very one
// that this version of the action was released with, and passes on signals, the
// environment that it needs, and its exit code. Node's own modules are all it uses.
//
// release.json beside this file holds the version and the SHA-256 of its programs, so
// whoever pins the action by commit pins the program too. In a checkout of the sources
// it names no version: then the program is the one that `make build` left in bin/, or
// that binary_path names, and its SHA-256 stands in the file of the same name with
// .sha256 at the end, which the build wrote too.

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const { spawn } = require('node:child_process');

const RELEASES = 'https://github.com/paistrike/terraform-provider-paistrike/releases/download';
const MOST = 64 * 1024 * 1024; // bytes of a program, packed or not
const PATIENCE = 60 * 1000; // milliseconds for one download
const ATTEMPTS = 3;

// Problem is an error for the user: a code to search for, and what to do.
class Problem extends Error {
  constructor(code, text) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

// platform names the program for a machine as Go does: linux_amd64.
function platform(system = process.platform, machine = process.arch) {
  const systems = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
  const machines = { x64: 'amd64', arm64: 'arm64' };
  if (!systems[system] || !machines[machine]) {
    throw new Problem('PSA602', `There is no program for ${system} on ${machine}. Linux, macOS and Windows on x64 and arm64 are supported.`);
  }
  return `${systems[system]}_${machines[machine]}`;
}

// programName is what the program's file is called on a system.
function programName(system = process.platform) {
  return system === 'win32' ? 'paistrike-action.exe' : 'paistrike-action';
}

function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] || '').trim();
}

// verified gives the bytes of a file if they are those that were released. The bytes
// are checked, not the file: it may be another one a moment later.
function verified(bytes, want, where) {
  const got = crypto.createHash('sha256').update(bytes).digest('hex');
  if (got !== want) {
    throw new Problem('PSA601', `The program at ${where} is not the one that this version of the action was released with, and is not run: ` +
      `its SHA-256 is ${got}, and must be ${want}. Remove it, or use the version of the action that it belongs to.`);
  }
  return bytes;
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      return null;
    }
    throw new Problem('PSA602', `The program at ${file} cannot be read: ${error.message}.`);
  }
}

// find gives the bytes of the program, verified.
async function find() {
  const release = JSON.parse(fs.readFileSync(path.join(__dirname, 'release.json'), 'utf8'));
  const given = input('binary_path');
  if (release.version === null) {
    return findBuilt(given || path.join(__dirname, '..', 'bin', programName()));
  }
  const name = platform();
  const want = release.sha256[name];
  if (!/^[0-9a-f]{64}$/.test(want || '')) {
    throw new Problem('PSA602', `Version ${release.version} of the action has no program for ${name}.`);
  }
  if (given) {
    const bytes = readIfThere(given);
    if (!bytes) {
      throw new Problem('PSA602', `There is no program at binary_path, ${given}.`);
    }
    return verified(bytes, want, given);
  }
  return findReleased(release.version, name, want);
}

// findBuilt is for a checkout of the sources. The digest that the build left beside
// the program proves that it is a whole build, and no other file of that name.
function findBuilt(file) {
  const bytes = readIfThere(file);
  const digest = readIfThere(`${file}.sha256`);
  if (!bytes || !digest) {
    throw new Problem('PSA602', `This is a checkout of the sources, and there is no ${bytes ? `${file}.sha256` : file}. ` +
      'Use a released version of the action, or run make build first.');
  }
  return verified(bytes, digest.toString('utf8').trim().split(/\s/)[0], file);
}

async function findReleased(version, name, want) {
  const cache = process.env.RUNNER_TOOL_CACHE
    ? path.join(process.env.RUNNER_TOOL_CACHE, 'paistrike-action', version, name, programName()) : '';
  const cached = cache && readIfThere(cache);
  if (cached) {
    return verified(cached, want, cache);
  }
  const from = (input('binary_mirror') || RELEASES).replace(/\/+$/, '');
  const url = `${from}/v${version}/paistrike-action_${name}.gz`;
  const bytes = verified(unpack(await download(url), url), want, url);
  if (cache) {
    keep(cache, bytes);
  }
  return bytes;
}

function unpack(packed, url) {
  try {
    return zlib.gunzipSync(packed, { maxOutputLength: MOST });
  } catch (error) {
    throw new Problem('PSA603', `What ${url} gives is no program: ${error.message}.`);
  }
}

// keep puts the program into the tool cache. A cache that cannot be written costs the
// next job a download, and this one nothing.
function keep(file, bytes) {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const part = `${file}.${crypto.randomUUID()}`;
    fs.writeFileSync(part, bytes, { mode: 0o755, flag: 'wx' });
    fs.renameSync(part, file);
  } catch (error) {
    console.log(`The program was not kept in the tool cache: ${error.message}`);
  }
}

async function download(url) {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    throw new Problem('PSA603', 'binary_mirror must begin with https://');
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await downloadOnce(url);
    } catch (error) {
      if (attempt === ATTEMPTS) {
        throw new Problem('PSA603', `The program cannot be downloaded from ${url}: ${error.message}, after ${ATTEMPTS} attempts. ` +
          'Set binary_mirror or binary_path where runners cannot reach github.com.');
      }
      await new Promise((resolve) => setTimeout(resolve, attempt * 500));
    }
  }
}

// downloadOnce fetches in a process of its own: Node minds HTTPS_PROXY only where it
// was told so when it started.
function downloadOnce(url) {
  const env = { ...environment(process.env, false), NODE_USE_ENV_PROXY: '1' };
  const child = spawn(process.execPath, [__filename, url], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE });
  return new Promise((resolve, reject) => {
    const parts = [];
    let size = 0;
    let said = '';
    child.stdout.on('data', (part) => {
      size += part.length;
      if (size > MOST) {
        child.kill();
      }
      parts.push(part);
    });
    child.stderr.on('data', (part) => { said += part; });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(parts)) : reject(new Error(said.trim() || 'it took too long'))));
  });
}

// fetchToOutput is what that process does.
async function fetchToOutput(url) {
  const answer = await fetch(url, { redirect: 'follow' });
  if (!answer.ok) {
    throw new Error(`the server answered ${answer.status}`);
  }
  for await (const part of answer.body) {
    if (!process.stdout.write(part)) {
      await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
  }
}

// environment is what the program gets to see: what the runner says to the action, and
// how to reach the network. Everything else in a job's environment is none of its
// business.
function environment(all, action = true) {
  const names = new Set(['PATH', 'HOME', 'ACT', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT', 'USERPROFILE', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
    'NODE_EXTRA_CA_CERTS', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY']);
  const prefixes = ['GITHUB_', 'RUNNER_', 'INPUT_', 'STATE_', 'ACTIONS_ID_TOKEN_REQUEST_'];
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name.toUpperCase()) ||
    (action && prefixes.some((prefix) => name.toUpperCase().startsWith(prefix)))));
}

// start runs the program with some arguments from a folder that is ours alone, and
// resolves to its exit code. No shell comes between, and no copy that others could
// change. running is told of the process.
function start(bytes, args, running) {
  const folder = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'paistrike-'));
  const clear = () => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  const file = path.join(folder, programName());
  fs.writeFileSync(file, bytes, { mode: 0o700, flag: 'wx' });
  const child = spawn(file, args, { env: environment(process.env), stdio: 'inherit', windowsHide: true });
  running(child);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => { clear(); reject(new Problem('PSA602', `The program cannot be started: ${error.message}.`)); });
    child.on('exit', (code) => { clear(); resolve(code === null ? 1 : code); });
  });
}

function escaped(text) {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

// report makes an annotation, and gives the exit code. In the post step a token lives
// on, which is a warning unless the user wants it to be an error.
function report(problem, step) {
  const code = problem.code && /^PSA/.test(problem.code) ? problem.code : 'PSA602';
  let text = problem.message;
  let kind = 'error';
  if (step === 'post') {
    text = `PSA501: Token ${process.env.STATE_token_id || '(id not known)'} was not revoked and works until ${process.env.STATE_expires_at || 'its end'}. ${text}`;
    kind = input('on_revoke_failure') === 'error' ? 'error' : 'warning';
  }
  process.stdout.write(`::${kind} title=PAIStrike ${code}::${escaped(text)}\n`);
  return kind === 'error' ? 1 : 0;
}

// run does a step of the action, or of one of its sub-actions.
async function run(step, ...of) {
  if (step === 'post' && (!process.env.STATE_names || process.env.STATE_revoked === 'true')) {
    return; // nothing was asked for, or it is revoked already
  }
  let child = null;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (!child) {
        process.exit(1); // nothing is under way yet
      }
      // On Windows a signal would kill the program; there it gets the runner's Ctrl-C itself.
      if (process.platform !== 'win32') {
        child.kill(signal);
      }
    });
  }
  try {
    process.exitCode = await start(await find(), [step, ...of], (started) => { child = started; });
  } catch (problem) {
    process.exitCode = report(problem, step);
  }
}

module.exports = { run, platform, programName, environment, verified };

if (require.main === module) {
  fetchToOutput(process.argv[2]).catch((error) => {
    console.error(error.cause ? error.cause.message : error.message);
    process.exit(1);
  });
}
