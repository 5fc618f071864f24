'use strict';

// Runs the launcher as the runner does, in a copy of the action's folder, with a small
// program in the place of the real one.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { action, programs, checkout, build, cached, put, launch, sha256, platform, programName } = require('./world.js');
const { environment, stops } = require(path.join(action, 'program.js'));

const posix = { skip: process.platform === 'win32' && 'Windows has no signals that a process may send' };
const { released, other } = programs();
const preload = (name) => path.join(__dirname, 'preload', name);

// Each way in which the program is started, as far as this machine has it.
const ways = {
  'by the best way of this machine': undefined,
  'as a child': preload('no-execve.js'),
  'from a file with a name': preload('named.js'),
};

test('names of systems and machines', () => {
  assert.equal(platform('linux', 'x64'), 'linux_amd64');
  assert.equal(platform('darwin', 'arm64'), 'darwin_arm64');
  assert.equal(platform('win32', 'x64'), 'windows_amd64');
  assert.equal(programName('win32'), 'paistrike-action.exe');
  assert.equal(programName('darwin'), 'paistrike-action');
  assert.throws(() => platform('linux', 'arm'), /PSA602/);
  assert.throws(() => platform('freebsd', 'x64'), /PSA602/);
});

test('the program sees what concerns it alone, and no certificate that an earlier step names', () => {
  const seen = environment({
    PATH: '/bin', Https_Proxy: 'x', GITHUB_ENV: 'a', INPUT_MODE: 'mint', STATE_names: '[]', ACTIONS_ID_TOKEN_REQUEST_URL: 'u',
    VAULT_ADDR: 'https://evil', LD_PRELOAD: 'x', ACTIONS_RUNTIME_TOKEN: 'r', AWS_SECRET_ACCESS_KEY: 's', NODE_OPTIONS: '--require x',
    SSL_CERT_FILE: '/evil.pem', SSL_CERT_DIR: '/evil', NODE_EXTRA_CA_CERTS: '/evil.pem', GODEBUG: 'x509usefallbackroots=1',
  });
  assert.deepEqual(Object.keys(seen).sort(), ['ACTIONS_ID_TOKEN_REQUEST_URL', 'GITHUB_ENV', 'Https_Proxy', 'INPUT_MODE', 'PATH', 'STATE_names']);
});

test('with store: aws it sees the credentials of the job, and nothing that leads elsewhere', () => {
  const all = {
    AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't', AWS_WEB_IDENTITY_TOKEN_FILE: '/f', AWS_ROLE_ARN: 'r', AWS_PROFILE: 'p',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/t',
    AWS_ENDPOINT_URL: 'https://evil', AWS_ENDPOINT_URL_STS: 'https://evil', AWS_CA_BUNDLE: '/evil.pem', AWS_REGION: 'us-east-1',
  };
  const seen = Object.keys(environment({ ...all, INPUT_STORE: 'aws' })).sort();
  assert.deepEqual(seen, [
    'AWS_ACCESS_KEY_ID', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_PROFILE', 'AWS_ROLE_ARN', 'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'INPUT_STORE',
  ]);
  assert.deepEqual(Object.keys(environment({ ...all, INPUT_STORE: 'vault' })), ['INPUT_STORE']);
  assert.deepEqual(Object.keys(environment(all)), []);
});

test('on Windows Ctrl-Break is waited out as Ctrl-C is', posix, async (t) => {
  assert.deepEqual(stops('linux'), ['SIGINT', 'SIGTERM']);
  const dir = checkout(t, null);
  const file = build(dir, released);
  fs.renameSync(file, `${file}.exe`);
  fs.renameSync(`${file}.sha256`, `${file}.exe.sha256`);
  const { code, out, left } = await launch(dir, { INPUT_PROGRAM: 'wait' }, {
    preload: preload('windows.js'),
    ready: (child) => child.kill('SIGUSR2'),
    heard: (words, child) => words.includes('Ctrl-Break') && child.stdin.end(), // the program ends after the key
  });
  assert.equal(code, 3, out);
  assert.deepEqual(left, []);
});

for (const [way, script] of Object.entries(ways)) {
  test(`a build of the sources runs ${way}, its exit code passes, and nothing is left`, async (t) => {
    const dir = checkout(t, null);
    build(dir, released);
    const { code, out, left } = await launch(dir, { INPUT_PROGRAM: 'environment', SSL_CERT_FILE: '/evil.pem', NODE_EXTRA_CA_CERTS: '/evil.pem' }, { preload: script });
    assert.equal(code, 3);
    assert.match(out, /^released program, step main\n/m);
    assert.match(out, /^INPUT_PROGRAM=environment$/m);
    assert.doesNotMatch(out, /^(SSL_CERT|NODE_EXTRA)/m);
    assert.deepEqual(left, []);
  });

  test(`a program that is not the right one is not run ${way}, and nothing is left`, async (t) => {
    const dir = checkout(t, null);
    build(dir, other, sha256(released));
    const { code, out, left } = await launch(dir, {}, { preload: script });
    assert.equal(code, 1);
    assert.match(out, new RegExp(`^::error title=PAIStrike PSA601::PSA601: .*SHA-256 is ${sha256(other)}, but must be ${sha256(released)}`));
    assert.doesNotMatch(out, /step main/);
    assert.deepEqual(left, []);
  });

  for (const [signal, want] of [['SIGINT', 7], ['SIGTERM', 8]]) {
    test(`${signal} reaches the program that runs ${way}, which ends as it likes`, posix, async (t) => {
      const dir = checkout(t, null);
      build(dir, released);
      const { code, out, left } = await launch(dir, { INPUT_PROGRAM: 'wait' }, { preload: script, ready: (child) => child.kill(signal) });
      assert.equal(code, want, out);
      assert.match(out, /heard/);
      assert.deepEqual(left, []);
    });
  }
}

// killed kills a launcher once the program that it has started needs no file any more.
function killed(dir) {
  return (child) => {
    const looking = setInterval(() => {
      if (fs.readdirSync(path.join(dir, 'temp')).length === 0 || child.signalCode) {
        clearInterval(looking);
        child.kill('SIGKILL');
        child.stdin.end(); // so that what it has started ends too
      }
    }, 10);
  };
}

test('a launcher that is killed leaves no program behind', posix, async (t) => {
  for (const script of [undefined, preload('no-execve.js'), preload('named.js')]) {
    const dir = checkout(t, null);
    build(dir, released);
    const { signal, left } = await launch(dir, { INPUT_PROGRAM: 'wait' }, { preload: script, ready: killed(dir) });
    assert.equal(signal, 'SIGKILL');
    assert.deepEqual(left, []);
  }
});

test('what cannot be cleaned up changes no result', async (t) => {
  const dir = checkout(t, null);
  build(dir, released);
  const { code, out } = await launch(dir, {}, { preload: preload('no-clean-up.js') });
  assert.equal(code, 3, out);
  assert.doesNotMatch(out, /EBUSY/);
});

test('without a build, or without its digest, it says what to do', async (t) => {
  const dir = checkout(t, null);
  assert.match((await launch(dir)).out, /PSA602: This is a source checkout, and \S+paistrike-action(\.exe)? does not exist\. Use/);
  build(dir, released, '');
  assert.match((await launch(dir)).out, /PSA602: This is a source checkout, and \S+\.sha256 does not exist\. Use/);
});

test('a release takes no digest from beside the program', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const { code, out } = await launch(dir, { INPUT_BINARY_PATH: build(dir, other) });
  assert.equal(code, 1);
  assert.match(out, new RegExp(`PSA601: .*${sha256(other)}.*${sha256(released)}`));
});

test('a release runs the program of binary_path if it is the right one', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  assert.equal((await launch(dir, { INPUT_BINARY_PATH: build(dir, released, '') })).code, 3);
  assert.match((await launch(dir, { INPUT_BINARY_PATH: path.join(dir, 'none') })).out, /PSA602: There is no program at binary_path/);
});

test('a poisoned tool cache is not run', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  put(cached(dir), other);
  const { code, out } = await launch(dir);
  assert.equal(code, 1);
  assert.match(out, /PSA601/);
  assert.doesNotMatch(out, /step main/);
});

test('a folder that forbids to execute is passed over', { skip: process.platform !== 'linux' && 'mount options are tested on Linux' }, async (t) => {
  const dir = checkout(t, null);
  build(dir, released);
  const { code, out } = await launch(dir, { TMPDIR: path.join(dir, 'tools') }, { preload: preload('noexec.js') });
  assert.equal(code, 3, out);
  const nowhere = await launch(dir, { TMPDIR: path.join(dir, 'temp'), HOME: path.join(dir, 'temp') }, { preload: preload('noexec.js') });
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.out, /PSA602: No folder allows the program to be written and executed: EACCES/);
});

test('post loads nothing if main asked for nothing, or the token is revoked', async (t) => {
  const dir = checkout(t, null);
  for (const name of fs.readdirSync(path.join(dir, 'action')).filter((name) => name !== 'post.js')) {
    fs.rmSync(path.join(dir, 'action', name));
  }
  for (const env of [{}, { STATE_names: '["a"]', STATE_revoked: 'true' }]) {
    const { code, out } = await launch(dir, env, { step: 'post' });
    assert.equal(code, 0);
    assert.equal(out, '');
  }
});

test('post without its program warns of the token, and fails only if asked to', async (t) => {
  const dir = checkout(t, null);
  const state = { STATE_names: '["a"]', STATE_token_id: 'tok_1', STATE_expires_at: '2026-01-05T10:00:00Z' };
  const { code, out } = await launch(dir, state, { step: 'post' });
  assert.equal(code, 0);
  assert.match(out, /^::warning title=PAIStrike PSA602::PSA501: Token tok_1 was not revoked and works until 2026-01-05T10:00:00Z\. PSA602/);
  assert.equal((await launch(dir, { ...state, INPUT_ON_REVOKE_FAILURE: 'error' }, { step: 'post' })).code, 1);
});

test('a line of an error cannot become a command', async (t) => {
  const dir = checkout(t, null);
  const { out } = await launch(dir, { INPUT_BINARY_PATH: 'x\n::set-env name=PATH::/evil' });
  assert.equal(out.trim().split('\n').length, 1);
});
