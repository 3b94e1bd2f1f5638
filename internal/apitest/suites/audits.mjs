// The audits of GraphQL over HTTP: no MUST and no SHOULD may fail. A MAY that is not taken up is shown.
import { auditServer } from 'graphql-http';

import { authorization, fail, pass, url } from './api.mjs';

const results = await auditServer({
  url: url('/graphql'),
  fetchFn: (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, authorization: authorization() } }),
});
const notTaken = results.filter((r) => r.status === 'notice');
const failed = results.filter((r) => r.status === 'warn' || r.status === 'error');
for (const r of [...notTaken, ...failed]) console.log(`${r.status} ${r.id} ${r.name}: ${r.reason}`);
if (results.length < 50) fail(`only ${results.length} audits ran`);
if (failed.length > 0) fail(`${failed.length} of ${results.length} audits failed`);
pass(`${results.length} audits, ${notTaken.length} optional ones not taken up`);
