'use strict';

// Downloads the program of a release, unpacks and verifies it, and saves it for later steps. Only
// its SHA-256 makes it trustworthy, not its origin. Therefore, the variables that name
// certificates are used here, and nowhere else.

const fs = require('node:fs');
const path = require('node:path');
const { Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const zlib = require('node:zlib');

const { Problem, input, privateFile, write, drop, sealed } = require('./program.js');

const GITHUB = 'https://github.com';
const RELEASES = 'paistrike/terraform-provider-paistrike/releases/download';
const MOST = 64 * 1024 * 1024; // limit for a program, in bytes
const PATIENCE = 60 * 1000; // limit for one download, in milliseconds
const AHEAD = 1024 * 1024; // bytes unpacked before earlier ones are written
const ATTEMPTS = 3;
const REDIRECTS = 5;
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

// load downloads the program, and saves it in the first writable place.
async function load(version, name, want, places) {
  const urls = sources().map((from) => `${from}/v${version}/paistrike-action_${name}.gz`);
  const { copy, url } = await download(urls, path.basename(places[0] || 'paistrike-action'));
  const program = sealed(copy, want, url);
  places.some((place) => keep(place, program));
  return program;
}

// sources returns the addresses of releases. A GitHub Enterprise Server is tried before
// github.com, which its runners may not be able to reach.
function sources() {
  const mirror = input('binary_mirror').replace(/\/+$/, '');
  if (mirror) {
    return [mirror];
  }
  const servers = new Set([(process.env.GITHUB_SERVER_URL || GITHUB).replace(/\/+$/, ''), GITHUB]);
  return [...servers].map((server) => `${server}/${RELEASES}`);
}

// keep copies the program to the place where later steps look for it. It returns false if it
// fails; later steps then download the program again.
function keep(file, program) {
  const part = `${file}.${process.pid}-${process.hrtime.bigint()}`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(program.file, part, fs.constants.COPYFILE_EXCL);
    fs.renameSync(part, file);
    return true;
  } catch (error) {
    fs.writeSync(1, `The program was not saved in ${path.dirname(file)}: ${error.message}\n`);
    try {
      fs.rmSync(part, { force: true });
    } catch {
      // no step looks for a partial file
    }
    return false;
  }
}

// download returns a private copy of the program from the first address that responds.
async function download(urls, name) {
  urls.forEach(check);
  let problem;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    for (const url of urls) {
      const copy = privateFile(name);
      try {
        await unpack(await open(url), copy);
        return { copy, url };
      } catch (error) {
        problem = `The program cannot be downloaded from ${url}: ${said(error)}, after ${attempt} attempts.`;
        drop(copy);
      }
    }
    if (attempt < ATTEMPTS) {
      await new Promise((resolve) => { setTimeout(resolve, attempt * 500); });
    }
  }
  throw new Problem('PSA603', `${problem} Set binary_mirror or binary_path if runners cannot reach github.com.`);
}

function said(error) {
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? `it took longer than ${PATIENCE / 1000} s` : error.message;
}

// check rejects an address without transport encryption, except on loopback.
function check(url) {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.includes(hostname))) {
    throw new Problem('PSA603', 'binary_mirror must begin with https://');
  }
}

// unpack writes the contents of a gzip stream to a file. When it settles, no write is in
// progress.
async function unpack({ body, ended }, copy) {
  let size = 0;
  let writing = null;
  const file = new Writable({
    highWaterMark: AHEAD,
    write(part, _, done) {
      size += part.length;
      if (size > MOST) {
        done(new Error('it is too large'));
        return;
      }
      writing = write(copy, part).then(() => done(), done);
    },
  });
  const packed = pipeline(body, zlib.createGunzip({ chunkSize: 256 * 1024 }), file);
  require('node:crypto'); // sealed needs it, and this thread is idle
  // The other process's error is more useful than that of its broken stream.
  const [stream, end] = await Promise.allSettled([packed, ended]);
  await writing;
  for (const { status, reason } of [end, stream]) {
    if (status === 'rejected') {
      throw reason;
    }
  }
}

// open starts a download. Node.js uses HTTPS_PROXY only if that is enabled at its start, so
// behind a proxy another process downloads.
async function open(url) {
  const proxy = Object.keys(process.env).some((name) => /^https?_proxy$/i.test(name) && process.env[name]);
  if (!proxy || process.env.NODE_USE_ENV_PROXY) {
    return { body: await get(url), ended: null };
  }
  const child = require('node:child_process').spawn(process.execPath, [__filename, url], {
    env: { ...process.env, NODE_USE_ENV_PROXY: '1' }, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE, windowsHide: true,
  });
  let words = '';
  child.stderr.on('data', (part) => { words += part; });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(words.trim() || 'it took too long'))));
  });
  return { body: child.stdout, ended };
}

// get returns the response body of an address, and follows redirects to the hosts of releases.
async function get(first) {
  const signal = AbortSignal.timeout(PATIENCE);
  let url = new URL(first);
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    const answer = await ask(url, signal);
    if (answer.statusCode === 200) {
      return answer;
    }
    answer.resume();
    if (![301, 302, 303, 307, 308].includes(answer.statusCode) || !answer.headers.location) {
      throw new Error(`the server answered ${answer.statusCode}`);
    }
    const next = new URL(answer.headers.location, url);
    if (next.protocol !== url.protocol || !follows(new URL(first), next)) {
      throw new Error(`the server redirects to ${next.origin}, which is not a host of its releases`);
    }
    url = next;
  }
  throw new Error('the server redirects too often');
}

// follows reports whether an address may redirect to another: github.com serves releases from
// hosts below githubusercontent.com, every other server from its own hosts.
function follows({ hostname: from }, { hostname: to }) {
  const owners = from === 'github.com' ? [from, 'githubusercontent.com'] : [from];
  return owners.some((owner) => to === owner || to.endsWith(`.${owner}`));
}

// ask sends one request. The system's certificate authorities are loaded only if Node.js's own do
// not verify the server, because loading takes longer than the whole request.
async function ask(url, signal) {
  try {
    return await request(url, { signal });
  } catch (error) {
    const { getCACertificates } = require('node:tls');
    if (!/CERT|ISSUER|VERIFY/.test(error.code || '') || !getCACertificates) {
      throw error;
    }
    return request(url, { signal, ca: [...getCACertificates('default'), ...getCACertificates('system')] });
  }
}

function request(url, options) {
  const { get: send } = require(url.protocol === 'http:' ? 'node:http' : 'node:https');
  return new Promise((resolve, reject) => {
    send(url, options, resolve).on('error', reject);
  });
}

module.exports = { load, follows };

// As a separate process, writes the download to standard output.
if (require.main === module) {
  get(process.argv[2]).then((body) => pipeline(body, process.stdout)).catch((error) => {
    process.stderr.write(`${said(error)}\n`, () => process.exit(1));
  });
}
