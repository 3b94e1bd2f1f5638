// What the suites share: where the API is, its SDL, and the documents that front ends send.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildASTSchema, concatAST, parse, Source } from 'graphql';

const here = dirname(fileURLToPath(import.meta.url));

// fail ends the suite with a message. A suite that ends in any other way than fail or pass has failed too.
export function fail(message) {
  console.error(`FAIL: ${message}`);
  process.exit(1);
}

export function pass(message) {
  console.log(`ok: ${message}`);
  process.exit(0);
}

export function need(name, meaning) {
  return process.env[name] || fail(`set ${name}: ${meaning}`);
}

// url is the address of a path of the API under test.
export function url(path) {
  return new URL(path, need('COMMONS_URL', 'the address of a running server, such as http://127.0.0.1:8080')).toString();
}

export function authorization() {
  return `Bearer ${need('COMMONS_TOKEN', 'an access token for that server')}`;
}

// schemaFiles are the hand-written SDL, or the folder that SCHEMA names.
export function schemaFiles() {
  const folder = process.env.SCHEMA ? resolve(process.env.SCHEMA) : resolve(here, '../../../graph');
  const files = readdirSync(folder).filter((name) => /\.graphqls?$/.test(name)).sort();
  return files.length > 0 ? files.map((name) => join(folder, name)) : fail(`no *.graphqls in ${folder}`);
}

export function schema() {
  return buildASTSchema(concatAST(schemaFiles().map((file) => parse(new Source(readFileSync(file, 'utf8'), file)))));
}

export const operationsFolder = resolve(here, '../operations');

// operations are the documents by file name without its ending.
export function operations() {
  const names = readdirSync(operationsFolder).filter((name) => name.endsWith('.graphql')).sort();
  return Object.fromEntries(names.map((name) => [name.slice(0, -'.graphql'.length), readFileSync(join(operationsFolder, name), 'utf8')]));
}

// ask sends a document over HTTP and returns its data.
export async function ask(query, variables) {
  const response = await fetch(url('/graphql'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization() },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  if (!response.ok) fail(`the server answered ${response.status}: ${text}`);
  const { data, errors } = JSON.parse(text);
  if (errors) fail(`the server answered with errors: ${JSON.stringify(errors)}`);
  return data;
}
