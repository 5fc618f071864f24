'use strict';

// Starts the program that does the work: finds it, makes sure that it is the very one
// that this version of the action was released with, and hands the step over to it.
// Node's own modules are all it uses, and each is loaded where it is needed: every job
// waits for this file.
//
// release.json beside this file holds the version and the SHA-256 of its programs, so
// whoever pins the action by commit pins the program too. On the main branch it names no
// version: then the program is the one that `make build` left in bin/, or that
// binary_path names, and its SHA-256 stands in the file of the same name with .sha256 at
// the end, which the build wrote too.

const fs = require('node:fs');
const path = require('node:path');

const { Problem, input, privateFile, copy, drop, sealed, start } = require('./program.js');

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

// load returns the program, verified and ready to be started.
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

// loadBuilt is for a checkout of the sources. The digest that the build left beside
// the program proves that it is a whole build, and no other file of that name.
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
  throw new Problem('PSA602', `This is a checkout of the sources, and there is no ${fs.existsSync(file) ? missing : file}. ` +
    'Use a released version of the action, or run make build first.');
}

// loadReleased takes the program from where an earlier step or job kept it, or
// downloads it and keeps it.
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
    places.reverse(); // no later job would find it in the tool cache
  }
  return require('./download.js').load(version, name, want, places);
}

// copied returns a private copy of the program in a file, verified; null if there is no
// such file.
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

// report makes an annotation, and returns the exit code. In the post step a token lives
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
  try {
    process.exitCode = await start(await load(), [step, ...of]);
  } catch (problem) {
    process.exitCode = report(problem, step);
  }
}

module.exports = { run, platform, programName };
