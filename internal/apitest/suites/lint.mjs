// graphql-eslint on the SDL and on operations/, with its presets schema-recommended, schema-relay and operations-recommended.
import { ESLint } from 'eslint';
import { isInputObjectType, isInterfaceType, isObjectType } from 'graphql';

import { fail, operationsFolder, pass, schema, schemaFiles } from './api.mjs';
import { config } from './lint.config.mjs';

const files = schemaFiles();
// Not from a configuration file on disk: the rules belong to this script, wherever it is started.
const eslint = new ESLint({ cwd: '/', overrideConfigFile: true, overrideConfig: config(files, operationsFolder), warnIgnored: true, ignore: false });
const results = await eslint.lintFiles([...files, `${operationsFolder}/*.graphql`]);
const text = await (await eslint.loadFormatter('stylish')).format(results);
console.log(text);

// The presets know no rule for this one: a deprecation tells when the element goes.
const undated = [];
const check = (where, element) => {
  if (element.deprecationReason && !/\b\d{4}-\d{2}-\d{2}\b/.test(element.deprecationReason)) undated.push(where);
};
const types = Object.values(schema().getTypeMap()).filter((type) => !type.name.startsWith('__'));
for (const type of types) {
  const fields = isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : [];
  for (const field of fields) {
    check(`${type.name}.${field.name}`, field);
    for (const arg of field.args ?? []) check(`${type.name}.${field.name}(${arg.name}:)`, arg);
  }
  for (const value of type.getValues?.() ?? []) check(`${type.name}.${value.name}`, value);
}

if (undated.length > 0) fail(`deprecated without a date (YYYY-MM-DD) in the reason: ${undated.join(', ')}`);
const problems = results.reduce((sum, r) => sum + r.errorCount + r.warningCount, 0);
if (problems > 0) fail(`${problems} problems`);
if (results.length < files.length + 16) fail(`only ${results.length} files were read`);
pass(`${results.length} files without a problem`);
