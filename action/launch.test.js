'use strict';

// Runs the launcher as the runner does, in a copy of the action's folder, with a shell
// script in the place of the program. Run by `go test`, or by `node --test`.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const { spawn } = require('node:child_process');
const { test } = require('node:test');

const { platform, programName, environment } = require('./launch.js');

const posix = { skip: process.platform === 'win32' && 'the program is a shell script' };
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

// checkout is a copy of the action: of a release, or of the sources where version is null.
function checkout(t, version, program) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'launch-test-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  for (const folder of ['action', 'bin', 'temp', 'tools']) {
    fs.mkdirSync(path.join(dir, folder));
  }
  for (const file of ['main.js', 'post.js', 'launch.js']) {
    fs.copyFileSync(path.join(__dirname, file), path.join(dir, 'action', file));
  }
  const release = { version, sha256: version ? { [platform()]: sha256(program) } : {} };
  fs.writeFileSync(path.join(dir, 'action', 'release.json'), JSON.stringify(release));
  return dir;
}

function build(dir, program, digest = sha256(program)) {
  const file = path.join(dir, 'bin', programName());
  fs.writeFileSync(file, program);
  if (digest) {
    fs.writeFileSync(`${file}.sha256`, `${digest}  paistrike-action\n`);
  }
  return file;
}

// launch starts a step; ready is called with the process at its first line.
function launch(dir, env = {}, step = 'main', ready = () => {}) {
  const child = spawn(process.execPath, [path.join(dir, 'action', `${step}.js`)], {
    env: { PATH: process.env.PATH, RUNNER_TEMP: path.join(dir, 'temp'), RUNNER_TOOL_CACHE: path.join(dir, 'tools'), ...env },
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 60000);
  return new Promise((resolve) => {
    let out = '';
    const hear = (part) => {
      if (out === '') {
        ready(child);
      }
      out += part;
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('close', (code) => clearTimeout(late) || resolve({ code, out, left: fs.readdirSync(path.join(dir, 'temp')) }));
  });
}

// mirror serves one file, or what handle says, and counts.
async function mirror(t, handle) {
  const server = http.createServer((request, answer) => { seen.push(request.url); handle(request, answer, seen.length); });
  const seen = [];
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

const hello = '#!/bin/sh\necho "step $1 from $0"\nexit 3\n';

test('names of systems and machines', () => {
  assert.equal(platform('linux', 'x64'), 'linux_amd64');
  assert.equal(platform('darwin', 'arm64'), 'darwin_arm64');
  assert.equal(platform('win32', 'x64'), 'windows_amd64');
  assert.equal(programName('win32'), 'paistrike-action.exe');
  assert.equal(programName('darwin'), 'paistrike-action');
  assert.throws(() => platform('linux', 'arm'), /PSA602/);
  assert.throws(() => platform('freebsd', 'x64'), /PSA602/);
});

test('the program sees what concerns it alone', () => {
  const seen = environment({
    PATH: '/bin', Https_Proxy: 'x', GITHUB_ENV: 'a', INPUT_MODE: 'mint', STATE_names: '[]', ACTIONS_ID_TOKEN_REQUEST_URL: 'u',
    VAULT_ADDR: 'https://evil', LD_PRELOAD: 'x', ACTIONS_RUNTIME_TOKEN: 'r', AWS_SECRET_ACCESS_KEY: 's', NODE_OPTIONS: '--require x',
  });
  assert.deepEqual(Object.keys(seen).sort(), ['ACTIONS_ID_TOKEN_REQUEST_URL', 'GITHUB_ENV', 'Https_Proxy', 'INPUT_MODE', 'PATH', 'STATE_names']);
});

test('a build of the sources runs, from a folder of its own, and its exit code passes', posix, async (t) => {
  const dir = checkout(t, null);
  build(dir, hello);
  const { code, out, left } = await launch(dir);
  assert.equal(code, 3);
  assert.match(out, new RegExp(`step main from ${path.join(dir, 'temp')}/paistrike-`));
  assert.deepEqual(left, []);
});

test('a build that is not whole is not run', posix, async (t) => {
  const dir = checkout(t, null);
  build(dir, hello, sha256('another'));
  const { code, out } = await launch(dir);
  assert.equal(code, 1);
  assert.doesNotMatch(out, /step main/);
  assert.match(out, new RegExp(`^::error title=PAIStrike PSA601::PSA601: .*SHA-256 is ${sha256(hello)}, and must be ${sha256('another')}`));
});

test('without a build, or without its digest, it says what to do', async (t) => {
  const dir = checkout(t, null);
  assert.match((await launch(dir)).out, /PSA602: This is a checkout of the sources/);
  build(dir, hello, '');
  assert.match((await launch(dir)).out, /PSA602: .*sha256/);
});

test('a release takes no digest from beside the program', posix, async (t) => {
  const dir = checkout(t, '1.2.3', 'the real one');
  const file = build(dir, hello);
  const { code, out } = await launch(dir, { INPUT_BINARY_PATH: file });
  assert.equal(code, 1);
  assert.match(out, new RegExp(`PSA601: .*${sha256(hello)}.*${sha256('the real one')}`));
});

test('a release runs the program of binary_path if it is the right one', posix, async (t) => {
  const dir = checkout(t, '1.2.3', hello);
  assert.equal((await launch(dir, { INPUT_BINARY_PATH: build(dir, hello, '') })).code, 3);
  assert.match((await launch(dir, { INPUT_BINARY_PATH: path.join(dir, 'none') })).out, /PSA602: There is no program at binary_path/);
});

test('a release is downloaded once, and then taken from the tool cache', posix, async (t) => {
  const dir = checkout(t, '1.2.3', hello);
  const { url, seen } = await mirror(t, (_, answer) => answer.end(zlib.gzipSync(hello)));
  const env = { INPUT_BINARY_MIRROR: `${url}/` };
  assert.equal((await launch(dir, env)).code, 3);
  assert.equal((await launch(dir, env)).code, 3);
  assert.deepEqual(seen, [`/v1.2.3/paistrike-action_${platform()}.gz`]);
});

test('a poisoned tool cache is not run', posix, async (t) => {
  const dir = checkout(t, '1.2.3', 'the real one');
  const cached = path.join(dir, 'tools', 'paistrike-action', '1.2.3', platform(), programName());
  fs.mkdirSync(path.dirname(cached), { recursive: true });
  fs.writeFileSync(cached, hello, { mode: 0o755 });
  const { code, out } = await launch(dir);
  assert.equal(code, 1);
  assert.match(out, /PSA601/);
  assert.doesNotMatch(out, /step main/);
});

test('a mirror with another program is not believed, and nothing is kept', posix, async (t) => {
  const dir = checkout(t, '1.2.3', 'the real one');
  const { url } = await mirror(t, (_, answer) => answer.end(zlib.gzipSync(hello)));
  const { code, out } = await launch(dir, { INPUT_BINARY_MIRROR: url });
  assert.equal(code, 1);
  assert.match(out, /PSA601/);
  assert.deepEqual(fs.readdirSync(path.join(dir, 'tools')), []);
});

test('a download is tried again, and then given up', posix, async (t) => {
  const dir = checkout(t, '1.2.3', hello);
  const hiccup = await mirror(t, (_, answer, n) => {
    answer.statusCode = n === 1 ? 503 : 200;
    answer.end(n === 1 ? 'busy' : zlib.gzipSync(hello));
  });
  assert.equal((await launch(dir, { INPUT_BINARY_MIRROR: hiccup.url })).code, 3);
  const other = checkout(t, '1.2.3', hello);
  const down = await mirror(t, (_, answer) => { answer.statusCode = 404; answer.end(); });
  const { code, out } = await launch(other, { INPUT_BINARY_MIRROR: down.url });
  assert.equal(code, 1);
  assert.match(out, /PSA603: .*the server answered 404, after 3 attempts/);
  assert.equal(down.seen.length, 3);
});

test('a mirror must be one that cannot be listened to', async (t) => {
  const dir = checkout(t, '1.2.3', hello);
  assert.match((await launch(dir, { INPUT_BINARY_MIRROR: 'http://mirror.example.com' })).out, /PSA603: binary_mirror must begin with https/);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} reaches the program, which ends as it likes`, posix, async (t) => {
    const dir = checkout(t, null);
    build(dir, '#!/bin/sh\ntrap "echo interrupted; exit 7" INT\ntrap "echo terminated; exit 8" TERM\necho ready\nfor i in $(seq 400); do sleep 0.05; done\n');
    const { code, out, left } = await launch(dir, {}, 'main', (child) => child.kill(signal));
    assert.equal(code, signal === 'SIGINT' ? 7 : 8);
    assert.match(out, signal === 'SIGINT' ? /interrupted/ : /terminated/);
    assert.deepEqual(left, []);
  });
}

test('post does nothing where main asked for nothing, or left nothing', async (t) => {
  const dir = checkout(t, null);
  for (const env of [{}, { STATE_names: '["a"]', STATE_revoked: 'true' }]) {
    const { code, out } = await launch(dir, env, 'post');
    assert.equal(code, 0);
    assert.equal(out, '');
  }
});

test('post without its program warns of the token, and fails only if asked to', async (t) => {
  const dir = checkout(t, null);
  const state = { STATE_names: '["a"]', STATE_token_id: 'tok_1', STATE_expires_at: '2026-01-05T10:00:00Z' };
  const { code, out } = await launch(dir, state, 'post');
  assert.equal(code, 0);
  assert.match(out, /^::warning title=PAIStrike PSA602::PSA501: Token tok_1 was not revoked and works until 2026-01-05T10:00:00Z\. PSA602/);
  assert.equal((await launch(dir, { ...state, INPUT_ON_REVOKE_FAILURE: 'error' }, 'post')).code, 1);
});

test('a line of an error cannot become a command', async (t) => {
  const dir = checkout(t, null);
  const { out } = await launch(dir, { INPUT_BINARY_PATH: 'x\n::set-env name=PATH::/evil' });
  assert.equal(out.trim().split('\n').length, 1);
});
