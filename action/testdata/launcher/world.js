'use strict';

// What the launcher's tests share: a copy of the action's folder, a program to start,
// and a server to download it from.

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawn } = require('node:child_process');

const action = path.join(__dirname, '..', '..');
const { platform, programName } = require(path.join(action, 'launch.js'));

const scripts = fs.readdirSync(action).filter((name) => name.endsWith('.js'));
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

// released is a real program, and other one that is as long and says something else.
// LAUNCHED names a build of it for systems that this machine only emulates.
function programs() {
  let file = process.env.LAUNCHED;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'launched-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  if (!file) {
    file = path.join(folder, programName());
    execFileSync('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', file, './testdata/launched'], { cwd: action });
  }
  const released = fs.readFileSync(file);
  const other = Buffer.from(released.toString('latin1').replaceAll('released program', 'another program!'), 'latin1');
  if (other.equals(released) || other.length !== released.length) {
    throw new Error('the two programs are the same');
  }
  return { released, other };
}

// checkout is a copy of the action: of a release, or of the sources if version is null.
function checkout(t, version, program) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'launch-test-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  for (const folder of ['action', 'bin', 'temp', 'tools']) {
    fs.mkdirSync(path.join(dir, folder));
  }
  for (const file of scripts) {
    fs.copyFileSync(path.join(action, file), path.join(dir, 'action', file));
  }
  const release = { version, sha256: version ? { [platform()]: sha256(program) } : {} };
  fs.writeFileSync(path.join(dir, 'action', 'release.json'), JSON.stringify(release));
  return dir;
}

// build puts a program where `make build` does; digest '' leaves none beside it.
function build(dir, program, digest = sha256(program)) {
  const file = path.join(dir, 'bin', programName());
  fs.writeFileSync(file, program, { mode: 0o755 });
  if (digest) {
    fs.writeFileSync(`${file}.sha256`, `${digest}  paistrike-action\n`);
  }
  return file;
}

// cached is where the tool cache has the program of version 1.2.3, and put puts it there.
function cached(dir, under = 'tools') {
  return path.join(dir, under, 'paistrike-action', '1.2.3', platform(), programName());
}

function put(file, program) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, program, { mode: 0o755 });
}

// launch starts a step and returns how it ended, and what is left in the runner's folder;
// ready is called with the process at its first line, heard whenever it says something;
// preload is a script that is run before the step's.
function launch(dir, env = {}, { step = 'main', ready = () => {}, heard = () => {}, preload } = {}) {
  const args = [...(preload ? ['--require', preload] : []), path.join(dir, 'action', `${step}.js`)];
  const child = spawn(process.execPath, args, {
    env: {
      ...Object.fromEntries(['PATH', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERPROFILE'].filter((name) => process.env[name]).map((name) => [name, process.env[name]])),
      RUNNER_TEMP: path.join(dir, 'temp'), RUNNER_TOOL_CACHE: path.join(dir, 'tools'), ...env,
    },
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 60000);
  return new Promise((resolve) => {
    let out = '';
    const hear = (part) => {
      if (out === '') {
        ready(child);
      }
      out += part;
      heard(out, child);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('close', (code, signal) => clearTimeout(late) || resolve({ code, signal, out, left: fs.readdirSync(path.join(dir, 'temp')) }));
  });
}

// mirror serves what handle says, and counts.
async function mirror(t, handle) {
  const server = http.createServer((request, answer) => { seen.push(request.url); handle(request, answer, seen.length); });
  const seen = [];
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

module.exports = { action, scripts, sha256, programs, checkout, build, cached, put, launch, mirror, platform, programName };
