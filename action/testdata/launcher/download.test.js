'use strict';

// Downloads of a released program: from where, how often, and what is believed.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const zlib = require('node:zlib');
const { execFileSync } = require('node:child_process');
const { test } = require('node:test');

const { action, programs, checkout, cached, put, launch, mirror, platform } = require('./world.js');
const { follows } = require(path.join(action, 'download.js'));

const { released, other } = programs();
const packed = zlib.gzipSync(released);
const [major] = process.versions.node.split('.').map(Number);
const asked = `/v1.2.3/paistrike-action_${platform()}.gz`;

test('a release is downloaded once, and then taken from the tool cache', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const { url, seen } = await mirror(t, (_, answer) => answer.end(packed));
  const env = { INPUT_BINARY_MIRROR: `${url}/` };
  assert.equal((await launch(dir, env)).code, 3);
  assert.equal((await launch(dir, env)).code, 3);
  assert.deepEqual(seen, [asked]);
  assert.deepEqual(fs.readFileSync(cached(dir)), released);
});

test('on a hosted runner it is kept for the job alone, and post needs no download', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const { url, seen } = await mirror(t, (_, answer) => answer.end(packed));
  const env = { INPUT_BINARY_MIRROR: url, RUNNER_ENVIRONMENT: 'github-hosted' };
  assert.equal((await launch(dir, env)).code, 3);
  assert.deepEqual(fs.readdirSync(path.join(dir, 'tools')), []);
  const post = await launch(dir, { ...env, STATE_names: '["a"]' }, { step: 'post' });
  assert.match(post.out, /step post/);
  assert.equal(seen.length, 1);
});

test('what was kept for the job is verified again in each step', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  put(cached(dir, 'temp'), other);
  const { code, out } = await launch(dir, { RUNNER_ENVIRONMENT: 'github-hosted' });
  assert.equal(code, 1);
  assert.match(out, /PSA601/);
  assert.doesNotMatch(out, /step main/);
});

test('a tool cache that cannot be written costs nothing: the job has its copy', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const { url, seen } = await mirror(t, (_, answer) => answer.end(packed));
  const blocked = path.join(dir, 'blocked');
  fs.writeFileSync(blocked, 'a file, and no folder');
  const env = { INPUT_BINARY_MIRROR: url, RUNNER_TOOL_CACHE: blocked };
  const { code, out } = await launch(dir, env);
  assert.equal(code, 3, out);
  assert.match(out, /The program was not saved in/);
  assert.equal((await launch(dir, env)).code, 3);
  assert.equal(seen.length, 1);
});

test('a copy that cannot be put in its place leaves nothing', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const { url } = await mirror(t, (_, answer) => answer.end(packed));
  const env = { INPUT_BINARY_MIRROR: url };
  const { code } = await launch(dir, env, { preload: path.join(__dirname, 'preload', 'no-rename.js') });
  assert.equal(code, 3);
  const files = [dir].flatMap((folder) => fs.readdirSync(folder, { recursive: true })).filter((name) => path.basename(name).startsWith('paistrike-action.'));
  assert.deepEqual(files, []);
});

test('a mirror with another program is not believed, and nothing is kept', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const { url, seen } = await mirror(t, (_, answer) => answer.end(zlib.gzipSync(other)));
  const { code, out, left } = await launch(dir, { INPUT_BINARY_MIRROR: url });
  assert.equal(code, 1);
  assert.match(out, /PSA601/);
  assert.doesNotMatch(out, /step main/);
  assert.deepEqual([fs.readdirSync(path.join(dir, 'tools')), left, seen.length], [[], [], 1]);
});

test('a download is tried three times', async (t) => {
  const broken = [
    (answer) => { answer.statusCode = 503; answer.end('busy'); },
    (answer) => { answer.write(packed.subarray(0, packed.length / 2)); answer.destroy(); },
  ];
  const hiccups = await mirror(t, (_, answer, n) => (broken[n - 1] || (() => answer.end(packed)))(answer));
  const { code, out } = await launch(checkout(t, '1.2.3', released), { INPUT_BINARY_MIRROR: hiccups.url });
  assert.equal(code, 3, out);
  assert.equal(hiccups.seen.length, 3);
  const down = await mirror(t, (_, answer) => { answer.statusCode = 404; answer.end(); });
  const given = await launch(checkout(t, '1.2.3', released), { INPUT_BINARY_MIRROR: down.url });
  assert.equal(given.code, 1);
  assert.match(given.out, /PSA603: .*the server answered 404, after 3 attempts/);
  assert.deepEqual([down.seen.length, given.left], [3, []]);
});

for (const [what, bytes, want] of [
  ['half a program', packed.subarray(0, packed.length - 9), /PSA603: .*unexpected end of file/],
  ['a page', Buffer.from('<!doctype html>'), /PSA603: .*incorrect header check/],
  ['more than a program can be', zlib.gzipSync(Buffer.alloc(65 * 1024 * 1024)), /PSA603: .*it is too large/],
]) {
  test(`a mirror that answers with ${what} is not believed`, async (t) => {
    const { url, seen } = await mirror(t, (_, answer) => answer.end(bytes));
    const { code, out, left } = await launch(checkout(t, '1.2.3', released), { INPUT_BINARY_MIRROR: url });
    assert.equal(code, 1);
    assert.match(out, want);
    assert.deepEqual([seen.length, left], [3, []]);
  });
}

test('redirects are followed on the host of the releases, and to no other', async (t) => {
  const moved = (to) => (request, answer) => {
    if (request.url.startsWith('/files/')) {
      answer.end(packed);
      return;
    }
    answer.writeHead(302, { location: to + request.url });
    answer.end();
  };
  const same = await mirror(t, moved('/files'));
  assert.equal((await launch(checkout(t, '1.2.3', released), { INPUT_BINARY_MIRROR: same.url })).code, 3);
  assert.deepEqual(same.seen, [asked, `/files${asked}`]);
  const elsewhere = await mirror(t, moved('http://localhost:1'));
  const { out } = await launch(checkout(t, '1.2.3', released), { INPUT_BINARY_MIRROR: elsewhere.url });
  assert.match(out, /PSA603: .*redirects to http:\/\/localhost:1, which is not a host of its releases/);
  const round = await mirror(t, moved(''));
  assert.match((await launch(checkout(t, '1.2.3', released), { INPUT_BINARY_MIRROR: round.url })).out, /PSA603: .*the server redirects too often/);
});

test('github.com sends on to its own hosts alone', () => {
  const to = (from, next) => follows(new URL(from), new URL(next));
  assert.ok(to('https://github.com/x', 'https://github.com/y'));
  assert.ok(to('https://github.com/x', 'https://release-assets.githubusercontent.com/y'));
  assert.ok(to('https://ghes.example.com/x', 'https://media.ghes.example.com/y'));
  assert.ok(!to('https://github.com/x', 'https://githubusercontent.com.evil.example/y'));
  assert.ok(!to('https://github.com/x', 'https://evilgithub.com/y'));
  assert.ok(!to('https://ghes.example.com/x', 'https://release-assets.githubusercontent.com/y'));
});

test('a GitHub of one\'s own is asked for the release first', async (t) => {
  const { url, seen } = await mirror(t, (_, answer) => answer.end(packed));
  const dir = checkout(t, '1.2.3', released);
  assert.equal((await launch(dir, { GITHUB_SERVER_URL: url })).code, 3);
  assert.deepEqual(seen, [`/paistrike/terraform-provider-paistrike/releases/download${asked}`]);
});

test('a mirror must be one that cannot be listened to', async (t) => {
  const dir = checkout(t, '1.2.3', released);
  for (const address of ['http://mirror.example.com', 'file:///etc']) {
    assert.match((await launch(dir, { INPUT_BINARY_MIRROR: address })).out, /PSA603: binary_mirror must begin with https/);
  }
});

// authority makes a certificate for localhost that nobody knows yet.
function authority(dir) {
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

async function secure(t, { key, cert }) {
  const seen = [];
  const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, (request, answer) => { seen.push(request.url); answer.end(packed); });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { port: server.address().port, seen };
}

const system = { skip: (major < 24 && 'this Node cannot read the system\'s authorities') || (process.platform !== 'linux' && 'only Linux has SSL_CERT_FILE') };

test('a mirror\'s authority is one of the system\'s, or the download fails', system, async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const pair = authority(dir);
  const { port, seen } = await secure(t, pair);
  const env = { INPUT_BINARY_MIRROR: `https://localhost:${port}` };
  assert.match((await launch(dir, env)).out, /PSA603: .*self-signed certificate/);
  assert.equal((await launch(dir, { ...env, SSL_CERT_FILE: pair.cert })).code, 3);
  assert.deepEqual(seen, [asked]);
});

test('behind a proxy the download goes through it, and its certificate is still verified', system, async (t) => {
  const dir = checkout(t, '1.2.3', released);
  const pair = authority(dir);
  const { port } = await secure(t, pair);
  const tunnels = [];
  const proxy = http.createServer((_, answer) => { answer.statusCode = 405; answer.end(); });
  proxy.on('connect', (request, near) => {
    tunnels.push(request.url);
    const far = net.connect(port, '127.0.0.1', () => { near.write('HTTP/1.1 200 OK\r\n\r\n'); far.pipe(near); near.pipe(far); });
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
  await new Promise((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
  t.after(() => { proxy.closeAllConnections(); proxy.close(); });
  const env = { INPUT_BINARY_MIRROR: 'https://localhost:44300', HTTPS_PROXY: `http://127.0.0.1:${proxy.address().port}` };
  assert.match((await launch(dir, env)).out, /PSA603: .*self-signed certificate/);
  tunnels.length = 0;
  const { code, out } = await launch(dir, { ...env, SSL_CERT_FILE: pair.cert });
  assert.equal(code, 3, out);
  assert.ok(tunnels.length > 0 && tunnels.every((to) => to === 'localhost:44300'), tunnels);
});

