// GraphQL Code Generator makes TypeScript of the SDL and of operations/, and the TypeScript compiler must accept it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '@graphql-codegen/cli';
import { printSchema } from 'graphql';

import { fail, operationsFolder, pass, schema } from './api.mjs';
import { scalars } from './scalars.mjs';

const folder = mkdtempSync(join(tmpdir(), 'commons-codegen-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'schema.graphql'), printSchema(schema()));
const config = { strictScalars: true, scalars };
// Two files: since its version 6 the plugin for operations brings the types that it needs itself.
const files = { 'schema.ts': 'typescript', 'operations.ts': 'typescript-operations' };
try {
  await generate({
    schema: join(folder, 'schema.graphql'),
    documents: join(operationsFolder, '*.graphql'),
    errorsOnly: true,
    generates: Object.fromEntries(Object.entries(files).map(([file, plugin]) => [join(folder, file), { plugins: [plugin], config }])),
  }, true);
} catch (error) {
  fail(`the code generator refuses: ${error.errors?.map((e) => e.message).join('\n') ?? error.stack}`);
}

writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
  compilerOptions: { strict: true, noEmit: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler', types: [], skipLibCheck: false },
  files: Object.keys(files),
}));
const result = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], { cwd: import.meta.dirname, encoding: 'utf8' });
if (result.status !== 0) fail(`the TypeScript compiler refuses what was generated:\n${result.stdout}${result.stderr}`);
pass(`generated and compiled ${Object.keys(files).map((file) => `${file} (${statSync(join(folder, file)).size} bytes)`).join(', ')}`);
