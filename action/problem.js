'use strict';

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

module.exports = { Problem, input };
