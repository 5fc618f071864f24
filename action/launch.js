'use strict';

// Starts the program: finds it, verifies that it is the one released with this version of the
// action, and runs the step. It uses only Node.js's own modules and loads each on first use,
// because every job waits for it.
//
// release.json contains the version and the SHA-256 digests of its programs, so pinning the
// action by commit pins the programs too. On the main branch it names no version: the program is
// then the one that `make build` wrote to bin/, or the one in binary_path, and the build wrote
// its SHA-256 to the file of the same name with the suffix .sha256.

const fs = require('node:fs');
const path = require('node:path');

const { Problem, input, privateFile, copy, drop, sealed, start } = require('./program.js');

// platform returns the program's platform in Go's terms, such as linux_amd64.
function platform(system = process.platform, machine = process.arch) {
  const systems = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
  const machines = { x64: 'amd64', arm64: 'arm64' };
  if (!systems[system] || !machines[machine]) {
    throw new Problem('PSA602', `There is no program for ${system} on ${machine}. Linux, macOS and Windows on x64 and arm64 are supported.`);
  }
  return `${systems[system]}_${machines[machine]}`;
}

// programName returns the file name of the program on a system.
function programName(system = process.platform) {
  return system === 'win32' ? 'paistrike-action.exe' : 'paistrike-action';
}

// load returns the verified program, ready to start.
async function load() {
  const release = JSON.parse(fs.readFileSync(path.join(__dirname, 'release.json'), 'utf8'));
  const given = input('binary_path');
  if (release.version === null) {
    return loadBuilt(given || path.join(__dirname, '..', 'bin', programName()));
  }
  const name = platform();
  const want = release.sha256[name];
  if (!/^[0-9a-f]{64}$/.test(want || '')) {
    throw new Problem('PSA602', `Version ${release.version} of the action has no program for ${name}.`);
  }
  if (given) {
    const program = await copied(given, want);
    if (!program) {
      throw new Problem('PSA602', `There is no program at binary_path, ${given}.`);
    }
    return program;
  }
  return loadReleased(release.version, name, want);
}

// loadBuilt loads the program of a source checkout. The digest that the build wrote next to the
// program proves that the file is a complete build.
async function loadBuilt(file) {
  let missing = `${file}.sha256`;
  try {
    const want = fs.readFileSync(missing, 'utf8').trim().split(/\s/)[0];
    missing = file;
    const program = await copied(file, want);
    if (program) {
      return program;
    }
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
      throw error;
    }
  }
  throw new Problem('PSA602', `This is a source checkout, and ${fs.existsSync(file) ? missing : file} does not exist. ` +
    'Use a released version of the action, or run make build first.');
}

// loadReleased loads the program that an earlier step or job saved, or downloads and saves it.
async function loadReleased(version, name, want) {
  const { RUNNER_TOOL_CACHE: tools, RUNNER_TEMP: temp, RUNNER_ENVIRONMENT: runner } = process.env;
  const places = [tools, temp].filter(Boolean).map((folder) => path.join(folder, 'paistrike-action', version, name, programName()));
  for (const place of places) {
    const program = await copied(place, want);
    if (program) {
      return program;
    }
  }
  if (runner === 'github-hosted') {
    places.reverse(); // no later job uses this runner's tool cache
  }
  return require('./download.js').load(version, name, want, places);
}

// copied returns a verified private copy of a program, or null if the file does not exist.
async function copied(file, want) {
  if (!fs.existsSync(file)) {
    return null;
  }
  const program = privateFile(programName());
  try {
    await copy(program, file);
  } catch (error) {
    drop(program);
    throw new Problem('PSA602', `The program at ${file} cannot be read: ${error.message}.`);
  }
  return sealed(program, want, file);
}

function escaped(text) {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

// report writes an annotation and returns the exit code. If the post step fails, a token remains
// valid, which is a warning unless the inputs make it an error.
function report(problem, step) {
  const code = problem.code && /^PSA/.test(problem.code) ? problem.code : 'PSA602';
  let text = problem.message;
  let kind = 'error';
  if (step === 'post') {
    text = `PSA501: Token ${process.env.STATE_token_id || '(unknown id)'} was not revoked and works until ${process.env.STATE_expires_at || 'its expiry'}. ${text}`;
    kind = input('on_revoke_failure') === 'error' ? 'error' : 'warning';
  }
  process.stdout.write(`::${kind} title=PAIStrike ${code}::${escaped(text)}\n`);
  return kind === 'error' ? 1 : 0;
}

// run runs a step of the action or of one of its sub-actions.
async function run(step, ...of) {
  try {
    process.exitCode = await start(await load(), [step, ...of]);
  } catch (problem) {
    process.exitCode = report(problem, step);
  }
}

module.exports = { run, platform, programName };
